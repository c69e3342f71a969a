package qconv

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

func available() bool { return isa.VNNI }
