package session

// Slot is slot, for the tests outside.
var Slot = slot
