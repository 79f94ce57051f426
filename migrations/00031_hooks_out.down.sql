DROP TABLE hooks_out;
