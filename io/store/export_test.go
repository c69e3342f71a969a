package store

// Explain is fault, for the tests.
var Explain = fault
