package store

// CleanName is open to the tests.
var CleanName = cleanName
