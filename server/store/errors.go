package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// The classes of errors that the database answers with. An error is in at most
// one of IsAway, IsFull, IsReadOnly and IsBusy; IsPassing is any of them. Result
// codes of SQLite are primary ones, https://www.sqlite.org/rescode.html; numbers
// of MySQL and MariaDB are from their "server error codes".

// IsPassing reports whether err is about the state of the database or of the
// call and not about what was to be stored: the same call may succeed later.
func IsPassing(err error) bool {
	return IsAway(err) || IsFull(err) || IsReadOnly(err) || IsBusy(err)
}

// IsAway reports whether the database could not be reached or used: connection
// lost, server going down, the call cancelled, the file not readable.
func IsAway(err error) bool {
	if code := sqliteCode(err); code != 0 {
		return slices.Contains([]int{3, 7, 9, 10, 11, 14, 15, 23, 26}, code) // perm, nomem, interrupt, ioerr, corrupt, cantopen, protocol, auth, notadb
	}
	if n := mysqlNumber(err); n != 0 {
		return slices.Contains([]uint16{
			1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1047, 1049, 1053, 1077, 1078, 1079, 1080, 1129, 1130, 1142, 1152,
			1158, 1159, 1160, 1161, 1184, 1203, 1226, 1317, 1927, 1969, 2002, 2003, 2006, 2013, 3024,
		}, n)
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, sql.ErrTxDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &ne) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// IsFull reports whether there is no space left for what was to be stored.
func IsFull(err error) bool {
	// 3 and 1026: writing to a file failed; 1030: the storage engine's own error, where it is none of the others.
	return sqliteCode(err) == 13 || slices.Contains([]uint16{3, 1021, 1026, 1030, 1114}, mysqlNumber(err))
}

// IsReadOnly reports whether the database takes no writes at present, or never
// again since it has moved.
func IsReadOnly(err error) bool {
	return sqliteCode(err) == 8 || slices.Contains([]uint16{1223, 1290, 1792, 1836}, mysqlNumber(err)) || IsMoved(err)
}

// errContended says that a Seq or Ref was taken by another process in the meantime.
var errContended = errors.New("others write to the same conversations")

// IsBusy reports whether others were in the way: a lock was not to be had in
// time, or two transactions waited for each other.
func IsBusy(err error) bool {
	code := sqliteCode(err)
	return code == 5 || code == 6 || errors.Is(err, errContended) || slices.Contains([]uint16{1020, 1205, 1213}, mysqlNumber(err))
}

// isUnique reports whether err says that a unique key is in use.
func isUnique(err error) bool {
	const constraintPrimaryKey, constraintUnique = 1555, 2067
	var s *sqlite.Error
	if errors.As(err, &s) {
		return s.Code() == constraintUnique || s.Code() == constraintPrimaryKey
	}
	return mysqlNumber(err) == 1062
}

// sqliteCode returns the primary result code of SQLite's errors, 0 of others.
func sqliteCode(err error) int {
	var s *sqlite.Error
	if errors.As(err, &s) {
		return s.Code() & 0xff
	}
	return 0
}

func mysqlNumber(err error) uint16 {
	var m *mysql.MySQLError
	if errors.As(err, &m) {
		return m.Number
	}
	return 0
}
