DROP TABLE file_posts;
--bun:split
DROP TABLE files;
