DROP INDEX contacts_blocking{{if .Tail}} ON contacts{{end}};
