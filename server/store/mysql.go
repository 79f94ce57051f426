package store

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
)

// openMySQL opens a pool on a MySQL or MariaDB server.
func (d *DB) openMySQL(dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return fmt.Errorf("the address can't be read")
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if !strings.Contains(c.Addr, ":") {
		c.Addr += ":3306"
	}
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.InterpolateParams = true
	c.Params = map[string]string{"sql_mode": "'TRADITIONAL'"}
	k, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	s := sql.OpenDB(k)
	s.SetMaxOpenConns(32)
	s.SetMaxIdleConns(32)
	s.SetConnMaxLifetime(5 * time.Minute)
	d.db = bun.NewDB(s, mysqldialect.New())
	d.read, d.lockRows = d.db, true
	tail := " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
	d.types = types{
		ID: "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin", Ref: "VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		Text: "LONGTEXT", Blob: "LONGBLOB", Tail: tail, RowidTail: tail,
	}
	return nil
}
