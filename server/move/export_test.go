package move

import "slices"

// Planned reports whether a table has its place in plan.
func Planned(table string) bool { return slices.Contains(plan, table) }
