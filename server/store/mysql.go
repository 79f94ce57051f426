package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
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
	c.InterpolateParams = true // one round trip a statement
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 10*time.Second, 30*time.Second, 30*time.Second
	c.Params = map[string]string{"sql_mode": "'TRADITIONAL'", "time_zone": "'+00:00'", "innodb_lock_wait_timeout": "5"}
	k, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	patient := c.Clone()
	patient.ReadTimeout, patient.WriteTimeout = 0, 0
	pk, err := mysql.NewConnector(patient)
	if err != nil {
		return err
	}
	open := func(k driver.Connector, conns int) *bun.DB {
		s := sql.OpenDB(connector{k})
		s.SetMaxOpenConns(conns)
		s.SetMaxIdleConns(conns)
		s.SetConnMaxLifetime(5 * time.Minute)
		return bun.NewDB(s, mysqldialect.New())
	}
	// Two pools: however much is read, commits find a connection.
	d.db, d.read, d.mysql, d.sql = open(k, 12), open(k, 20), true, shapesOf(true)
	// A change of the schema may take as long as it takes.
	d.schema = func() (*bun.DB, func()) {
		db := open(repeatable{pk}, 2)
		return db, func() { _ = db.Close() }
	}
	// Ids, refs and names are bytes: with any collation of MySQL's and MariaDB's
	// own that both have, texts that differ in trailing spaces are the same.
	tail := " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	d.types = types{ID: "VARBINARY(64)", Ref: "VARBINARY(256)", Text: "LONGTEXT", Blob: "LONGBLOB", Tail: tail, RowidTail: tail}
	return nil
}

// connector opens connections that read what is committed at the time of each
// statement. A transaction that waited for a lock would otherwise not see what
// it waited for.
type connector struct{ driver.Connector }

func (k connector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.(driver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// repeatable opens connections on which it is no error to make what is there: a
// table, a column or an index. A migration that was killed halfway has made some of
// them and is not noted as applied, since here a transaction can't hold changes of
// the schema.
type repeatable struct{ driver.Connector }

func (k repeatable) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return repeatableConn{c.(mysqlConn)}, nil
}

// mysqlConn is what the driver's connections can do.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type repeatableConn struct{ mysqlConn }

func (c repeatableConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.mysqlConn.ExecContext(ctx, query, args)
	switch mysqlNumber(err) {
	case 1050, 1060, 1061: // table, column, index: these come of changes of the schema alone
		return driver.RowsAffected(0), nil
	}
	return res, err
}
