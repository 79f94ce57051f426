DROP INDEX conversations_by_time{{if .Tail}} ON conversations{{end}};
