package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// gather copies rows: y[i, :] = table[ids[i], :]. An id out of range is an error.
func gather(c *call) (kernel, error) {
	table, ids, y := c.in[0], c.in[1], c.out[0]
	width, err := gatherWidth(table, ids, y)
	if err != nil {
		return nil, err
	}
	rows := table.n / width
	return func() error {
		for i, id := range ids.i {
			if id < 0 || int(id) >= rows {
				return fmt.Errorf("id %d at position %d, want 0 <= id < %d", id, i, rows)
			}
			copy(y.f[i*width:(i+1)*width], table.f[int(id)*width:])
		}
		return nil
	}, nil
}

// gatherGrad adds rows of dy to the rows of a zero table that they came from,
// in the order of the ids: dtable[ids[i], :] += dy[i, :].
func gatherGrad(c *call) (kernel, error) {
	dy, ids, table := c.in[0], c.in[1], c.out[0]
	width, err := gatherWidth(table, ids, dy)
	if err != nil {
		return nil, err
	}
	rows := table.n / width
	return func() error {
		clear(table.f)
		for i, id := range ids.i {
			if id < 0 || int(id) >= rows {
				return fmt.Errorf("id %d at position %d, want 0 <= id < %d", id, i, rows)
			}
			to := table.f[int(id)*width : (int(id)+1)*width]
			for j, v := range dy.f[i*width : (i+1)*width] {
				to[j] += v
			}
		}
		return nil
	}, nil
}

func gatherWidth(table, ids, rows *tensor) (int, error) {
	if err := want(accel.Float32, table, rows); err != nil {
		return 0, err
	}
	if err := want(accel.Int32, ids); err != nil {
		return 0, err
	}
	if len(table.Shape) == 0 {
		return 0, shapeErr(table)
	}
	width := product(table.Shape[1:])
	if ids.n*width != rows.n {
		return 0, shapeErr(table, ids, rows)
	}
	return width, nil
}
