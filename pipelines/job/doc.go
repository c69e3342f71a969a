package job

// The reference of all keys is written from the doc comments of the types.
//
//go:generate go test . -run ^TestDocs$ -update
