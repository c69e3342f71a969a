package vec

//go:generate go run gen/main.go gen/kernel.go gen/ops.go gen/loops.go gen/file.go gen/functions.go gen/elementwise.go gen/reduce.go gen/rows.go gen/optim.go
