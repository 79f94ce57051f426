package servicetest

import (
	"context"
	"database/sql"
	"strings"
	"testing"
)

func TestMariaDBComesBackWithItsData(t *testing.T) {
	s := MariaDB(t)
	dsn := s.Database()
	db, err := sql.Open("mysql", "kama:kama@tcp("+s.Addr+")/"+dsn[strings.LastIndex(dsn, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE a (n INT)"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := db.PingContext(context.Background()); err == nil {
		t.Error("a killed server answers")
	}
	s.Start()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO a VALUES (1)"); err != nil {
		t.Error(err)
	}
}

func TestRedisComesBack(t *testing.T) {
	s := Redis(t)
	s.Stop()
	if s.ping(s.Addr) == nil {
		t.Error("a stopped server answers")
	}
	s.Start()
}
