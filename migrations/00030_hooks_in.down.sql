DROP TABLE hooks_in;
