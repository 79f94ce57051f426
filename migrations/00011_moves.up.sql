-- Which conversations have moved since some time, for servers that were not told.
CREATE INDEX conversations_by_time ON conversations (last_at);
