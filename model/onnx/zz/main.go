package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/onnx"
	"github.com/millrace-go/millrace/model/program"
)

func main() {
	files, _ := filepath.Glob("/tmp/mis/*.onnx")
	for _, f := range files {
		func() {
			defer func() {
				if r := recover(); r != nil {
					fmt.Println(filepath.Base(f), "PANIC", r)
				}
			}()
			s := time.Now()
			m, err := onnx.Import(f, onnx.Options{})
			if err != nil {
				fmt.Println(filepath.Base(f), "| import |", err)
				return
			}
			if err := m.Graph.Infer(); err != nil {
				fmt.Println(filepath.Base(f), "| infer |", err)
			}
			var in []*accel.Array
			for k, v := range m.Graph.Inputs {
				sh := []int{}
				for _, d := range v.Type.Shape {
					if d < 0 {
						d = 3
					}
					sh = append(sh, d)
				}
				if accel.Size(sh) > 1<<20 || accel.Size(sh) < 0 {
					fmt.Println(filepath.Base(f), "| big input", sh)
					return
				}
				a := accel.NewArray(v.Type.DType, sh...)
				if a.DType == accel.Float32 {
					for i := range accel.Values[float32](a) {
						accel.Values[float32](a)[i] = float32(i+k) - 0.5
					}
				}
				in = append(in, a)
			}
			out, err := program.New(m.Graph, cpu.New(), program.Options{}).Run(in...)
			fmt.Print(filepath.Base(f), " | run ", time.Since(s).Round(time.Millisecond), " | ")
			for _, o := range out {
				if o.DType == accel.Float32 {
					fmt.Print(o.Shape, accel.Values[float32](o), " ")
				} else {
					fmt.Print(o, " ")
				}
			}
			fmt.Println(err)
		}()
	}
	_ = os.Args
}
