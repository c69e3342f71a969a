package imageio

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
)

// DefaultMaxPixels bounds an image: decoding takes up to 24 bytes a pixel (a progressive JPEG of four colours).
const DefaultMaxPixels = 8 << 20

// Limits say what Decode takes, and what it makes of it. The zero value means the defaults.
type Limits struct {
	MaxPixels int // width times height at most; the default is DefaultMaxPixels
	Channels  int // 1, 3 or 4; by default those of the image
}

// Image is a decoded image.
type Image struct {
	Width, Height int
	// Channels is 1 (grey), 3 (RGB) or 4 (RGB and alpha; colours are not multiplied by it).
	Channels int
	// Pixels has a byte for each channel of each pixel, rows from the top, channels together.
	Pixels []byte
}

// ErrTooLarge is wrapped where an image has more pixels than the limit.
var ErrTooLarge = errors.New("the image is too large")

// kinds are the formats of images that are told apart, by their first bytes.
var kinds = []struct {
	name, magic string
	config      func(data []byte) (image.Config, error)
	decode      func(data []byte) (image.Image, error)
}{
	{"PNG", "\x89PNG\r\n\x1a\n",
		func(data []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(data)) },
		func(data []byte) (image.Image, error) { return png.Decode(bytes.NewReader(data)) }},
	{"JPEG", "\xff\xd8\xff",
		func(data []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(data)) },
		func(data []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(data)) }},
	{name: "GIF", magic: "GIF8"}, {name: "WebP", magic: "RIFF"}, {name: "BMP", magic: "BM"},
	{name: "TIFF", magic: "II*\x00"}, {name: "TIFF", magic: "MM\x00*"},
}

// Decode decodes a PNG or JPEG image. Of 16 bits a channel the upper 8 are kept; profiles, gamma and the
// orientation of a camera are not applied. Grey from colours is their luma (ITU-R BT.601); alpha
// that is not wanted is left out, and where it is wanted and missing it is 255. No image larger
// than the limit is decoded, whatever its compressed size.
func Decode(data []byte, o Limits) (*Image, error) {
	return decode(data, o, true)
}

// Size is Decode without the pixels, from the image's header alone. A header does not always tell
// the channels, so they are 0.
func Size(data []byte, o Limits) (*Image, error) {
	return decode(data, o, false)
}

func decode(data []byte, o Limits, pixels bool) (out *Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("the image is damaged: %v", p)
		}
	}()
	if o.Channels != 0 && o.Channels != 1 && o.Channels != 3 && o.Channels != 4 {
		return nil, fmt.Errorf("imageio.Decode: %d channels, want 1, 3, 4 or 0 (those of the image)", o.Channels)
	}
	for _, k := range kinds {
		if !strings.HasPrefix(string(data[:min(len(data), 8)]), k.magic) {
			continue
		}
		if k.decode == nil {
			return nil, fmt.Errorf("a %s image, which is not read: convert it to PNG or JPEG", k.name)
		}
		c, err := k.config(data)
		if err != nil {
			return nil, fmt.Errorf("damaged %s image: %w", k.name, err)
		}
		out = &Image{Width: c.Width, Height: c.Height}
		most := o.MaxPixels
		if most <= 0 {
			most = DefaultMaxPixels
		}
		if c.Width <= 0 || c.Height <= 0 || c.Width > most/c.Height {
			return nil, fmt.Errorf("%w: %d x %d pixels, want at most %d in all", ErrTooLarge, c.Width, c.Height, most)
		}
		if !pixels {
			return out, nil
		}
		img, err := k.decode(data)
		if err != nil {
			return nil, fmt.Errorf("damaged %s image: %w", k.name, err)
		}
		if b := img.Bounds(); b.Dx() != c.Width || b.Dy() != c.Height {
			return nil, fmt.Errorf("damaged %s image: %v in a header of %d x %d", k.name, b, c.Width, c.Height)
		}
		own := channels(img.ColorModel())
		if out.Channels = o.Channels; o.Channels == 0 {
			out.Channels = own
		}
		out.Pixels = convert(unpack(img, own), own, out.Channels)
		return out, nil
	}
	return nil, errors.New("neither a PNG nor a JPEG image")
}
