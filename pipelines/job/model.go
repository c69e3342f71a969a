package job

import "fmt"

// checkModel checks the model section: which keys each architecture needs.
func (j *Job) checkModel(p *problems) {
	m := &j.Model
	if m.Dropout < 0 || m.Dropout >= 1 {
		p.addPath("model.dropout", "want a number of at least 0 and less than 1, got %v", m.Dropout)
	}
	checkSizes(p, "model.image", m.Image, 1<<16)
	checkSizes(p, "model.channels", m.Channels, 1<<16)
	checkSizes(p, "model.hidden", m.Hidden, 1<<20)
	switch m.Name {
	case "convnet":
		if len(m.Image) != 3 {
			p.addPath("model.image", "want [channels, height, width], which a convnet needs, got %d numbers", len(m.Image))
		}
		if len(m.Channels) == 0 {
			p.addPath("model.channels", "a convnet needs the channels of at least one convolution")
		}
	case "tabular":
		for _, key := range []string{"image", "channels"} {
			if p.has("model." + key) {
				p.addPath("model."+key, "only a convnet has this; remove the key")
			}
		}
	}
}

func checkSizes(p *problems, path string, sizes []int, most int) {
	if len(sizes) > 64 {
		p.addPath(path, "want at most 64 numbers, got %d", len(sizes))
	}
	for i, n := range sizes {
		if n < 1 || n > most {
			p.addPath(fmt.Sprintf("%s[%d]", path, i), "want an integer of 1 to %d, got %d", most, n)
		}
	}
}
