package imageio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

const width, height = 7, 5

// noise fills an image of each kind with random pixels.
func noise(kind string) image.Image {
	rng := rand.New(rand.NewPCG(1, 2))
	fill := func(pix []byte, opaque, step int) {
		for i := range pix {
			if pix[i] = byte(rng.Uint32()); opaque > 0 && i%step >= step-opaque {
				pix[i] = 255
			}
		}
	}
	r := image.Rect(0, 0, width, height)
	switch kind {
	case "grey":
		m := image.NewGray(r)
		fill(m.Pix, 0, 1)
		return m
	case "grey16":
		m := image.NewGray16(r)
		fill(m.Pix, 0, 1)
		return m
	case "rgb":
		m := image.NewNRGBA(r)
		fill(m.Pix, 1, 4)
		return m
	case "rgb16":
		m := image.NewNRGBA64(r)
		fill(m.Pix, 2, 8)
		return m
	case "rgba":
		m := image.NewNRGBA(r)
		fill(m.Pix, 0, 1)
		return m
	case "rgba16":
		m := image.NewNRGBA64(r)
		fill(m.Pix, 0, 1)
		return m
	}
	p := color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 100, 50, 255}, color.NRGBA{9, 8, 7, 255}}
	if kind == "palette with alpha" {
		p[1] = color.NRGBA{200, 100, 50, 128}
	}
	m := image.NewPaletted(r, p)
	for i := range m.Pix {
		m.Pix[i] = byte(rng.IntN(3))
	}
	return m
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func photo(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// pixelsOf is what the standard library's At says, slowly.
func pixelsOf(img image.Image, channels int) (out []byte) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if m, ok := img.(*image.NRGBA64); ok { // the model goes through multiplied colours, and rounds
				deep := m.NRGBA64At(x, y)
				c = color.NRGBA{uint8(deep.R >> 8), uint8(deep.G >> 8), uint8(deep.B >> 8), uint8(deep.A >> 8)}
			}
			switch channels {
			case 1:
				out = append(out, color.GrayModel.Convert(color.NRGBA{c.R, c.G, c.B, 255}).(color.Gray).Y)
			case 3:
				out = append(out, c.R, c.G, c.B)
			default:
				out = append(out, c.R, c.G, c.B, c.A)
			}
		}
	}
	return out
}

func TestDecode(t *testing.T) {
	kinds := map[string]int{"grey": 1, "grey16": 1, "rgb": 3, "rgb16": 3, "rgba": 4, "rgba16": 4, "palette": 3, "palette with alpha": 4}
	for kind, own := range kinds {
		img := noise(kind)
		for _, channels := range []int{0, 1, 3, 4} {
			got, err := Decode(encoded(t, img), Limits{Channels: channels})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			want := channels
			if want == 0 {
				want = own
			}
			if got.Width != width || got.Height != height || got.Channels != want || !bytes.Equal(got.Pixels, pixelsOf(img, want)) {
				t.Errorf("%s as %d channels: got %d x %d x %d, pixels\n%v, want %d channels\n%v",
					kind, channels, got.Width, got.Height, got.Channels, got.Pixels, want, pixelsOf(img, want))
			}
		}
		size, err := Size(encoded(t, img), Limits{})
		if err != nil || size.Width != width || size.Height != height || size.Pixels != nil {
			t.Errorf("%s: got size %+v, error %v", kind, size, err)
		}
	}
	for _, kind := range []string{"grey", "rgb"} {
		data := photo(t, noise(kind))
		plain, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(data, Limits{})
		if err != nil || !bytes.Equal(got.Pixels, pixelsOf(plain, kinds[kind])) || got.Channels != kinds[kind] {
			t.Errorf("JPEG %s: got %+v, error %v, want %v", kind, got, err, pixelsOf(plain, kinds[kind]))
		}
	}
}

// bomb is the head of a PNG of these sides.
func bomb(w, h uint32) []byte {
	head := []byte("IHDR")
	head = binary.BigEndian.AppendUint32(head, w)
	head = binary.BigEndian.AppendUint32(head, h)
	head = append(head, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(out, head...), crc32.ChecksumIEEE(head))
}

func TestDecodeErrors(t *testing.T) {
	whole := encoded(t, noise("rgb"))
	for _, tt := range []struct {
		name string
		data []byte
		o    Limits
		want string
	}{
		{"empty", nil, Limits{}, "neither a PNG nor a JPEG image"},
		{"text", []byte("hello"), Limits{}, "neither a PNG nor a JPEG image"},
		{"gif", []byte("GIF89a..."), Limits{}, "a GIF image, which is not read: convert it"},
		{"cut", whole[:len(whole)/2], Limits{}, "damaged PNG image"},
		{"JPEG cut", photo(t, noise("rgb"))[:100], Limits{}, "damaged JPEG image"},
		{"bomb", bomb(100_000, 100_000), Limits{}, "the image is too large: 100000 x 100000 pixels, want at most 8388608 in all"},
		{"limit", whole, Limits{MaxPixels: width*height - 1}, "7 x 5 pixels, want at most 34 in all"},
		{"channels", whole, Limits{Channels: 2}, "2 channels, want 1, 3, 4 or 0"},
	} {
		_, err := Decode(tt.data, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %s", tt.name, err, tt.want)
		}
		if large := strings.Contains(tt.want, "want at most"); errors.Is(err, ErrTooLarge) != large {
			t.Errorf("%s: got error %v, want ErrTooLarge %v", tt.name, err, large)
		}
	}
	if _, err := Decode(whole, Limits{MaxPixels: width * height}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

func storeOf(t testing.TB, files map[string][]byte) store.Store {
	t.Helper()
	s, err := store.Local(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := store.WriteAll(t.Context(), s, name, data); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestFormat(t *testing.T) {
	small := table.Options{Image: table.Image{Width: width, Height: height, Channels: 3}}
	formattest.Run(t, Format{},
		formattest.File{Name: "a.png", Data: encoded(t, noise("rgba")), Kept: 1},
		formattest.File{Name: "d/b.jpg", Data: photo(t, noise("rgb")), Kept: 1, Options: small},
		formattest.File{Name: "c.png", Data: []byte("not an image"), Dead: 1})
}

func TestHostile(t *testing.T) {
	formattest.Hostile(t, Format{}, formattest.File{Name: "a.png", Data: encoded(t, noise("rgb"))}, 5000)
	formattest.Hostile(t, Format{}, formattest.File{Name: "b.jpg", Data: photo(t, noise("rgb"))}, 5000)
}

// A folder is a table with a row an image, faulty ones as dead letters.
func TestFolder(t *testing.T) {
	files := map[string][]byte{
		"set/cat/1.png": encoded(t, noise("rgb")), "set/cat/2.JPEG": photo(t, noise("grey")), "set/dog/3.png": encoded(t, noise("rgba")),
		"set/dog/4.jpg": []byte("\xff\xd8\xff damaged"), "set/dog/5.png": bomb(1<<20, 1<<20), "set/dog/6.png": nil,
		"set/notes.txt": []byte("no image"), "other.png": encoded(t, noise("rgb")),
	}
	s := storeOf(t, files)
	for _, name := range []string{"set/", "set/**", "set/*/*"} {
		for _, spanBytes := range []int64{0, 1} {
			o := table.Options{SpanBytes: spanBytes, Columns: []string{"path", "folder", "width", "height", "channels"}}
			file, rows, err := formattest.ReadAll(t.Context(), Format{}, s, name, o)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{
				`row 1: "path"="set/cat/1.png" "folder"="cat" "width"="7" "height"="5" "channels"="3"`,
				`row 2: "path"="set/cat/2.JPEG" "folder"="cat" "width"="7" "height"="5" "channels"="1"`,
				`row 3: "path"="set/dog/3.png" "folder"="dog" "width"="7" "height"="5" "channels"="4"`,
			}
			if got := strings.Join(rows.Kept, "\n"); got != strings.Join(want, "\n") {
				t.Errorf("%s: got\n%s", name, got)
			}
			var dead []string
			for _, l := range rows.Dead {
				dead = append(dead, fmt.Sprintf("%d %s %s", l.Row, l.Rule, l.Value))
			}
			if got := strings.Join(dead, "|"); got != "4 image.decode set/dog/4.jpg|5 image.size set/dog/5.png|6 image.decode set/dog/6.png" {
				t.Errorf("%s: got dead %s", name, got)
			}
			if spanBytes == 1 && len(file.Spans) != 6 {
				t.Errorf("%s: got %d spans, want 6", name, len(file.Spans))
			}
		}
	}
	o := table.Options{Image: table.Image{Width: width, Height: height, Channels: 1}}
	file, err := Format{}.Survey(t.Context(), s, "set/", o)
	if err != nil {
		t.Fatal(err)
	}
	err = Format{}.Read(t.Context(), s, file.Spans[0], o, func(b *batch.Batch) error {
		list := b.Record.Column(5).(*array.FixedSizeList)
		got := list.ListValues().(*array.Uint8).Uint8Values()[2*width*height:]
		if want := pixelsOf(noise("rgba"), 1); list.Len() != 3 || !bytes.Equal(got, want) {
			t.Errorf("got pixels %v of %d images, want %v last", got, list.Len(), want)
		}
		return nil
	}, func(deadletter.Letter) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "set/cat/1.png"); err != nil {
		t.Fatal(err)
	}
	err = Format{}.Read(t.Context(), s, file.Spans[0], o, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "the files were changed since they were surveyed") {
		t.Errorf("one image less: got error %v", err)
	}
}

func TestFileErrors(t *testing.T) {
	s := storeOf(t, map[string][]byte{"a.png": nil, "d/x.txt": nil})
	for _, tt := range []struct {
		name, want string
		o          table.Image
	}{
		{"a.png", "empty (0 bytes)", table.Image{}},
		{"d/", "no files that end in .png", table.Image{}},
		{"a.png", "image channels 2", table.Image{Channels: 2}},
		{"a.png", "image width 5000, height 5000: want at most 8388608 pixels", table.Image{Width: 5000, Height: 5000}},
		{"a.png", "image max pixels 1000000000: want at most", table.Image{MaxPixels: 1e9}},
	} {
		_, err := Format{}.Survey(t.Context(), s, tt.name, table.Options{Image: tt.o})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "imageio: "+tt.name) {
			t.Errorf("%s %+v: got error %v, want %s", tt.name, tt.o, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, noise("rgb")))
	f.Add(encoded(f, noise("palette")))
	f.Add(photo(f, noise("rgb")))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := Decode(data, Limits{MaxPixels: 1 << 16})
		if err == nil && len(img.Pixels) != img.Width*img.Height*img.Channels {
			t.Fatalf("got %d bytes of %d x %d x %d", len(img.Pixels), img.Width, img.Height, img.Channels)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	m := image.NewNRGBA(image.Rect(0, 0, 512, 512))
	for i := range m.Pix {
		if m.Pix[i] = byte(i / 64); i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	for name, data := range map[string][]byte{"png": encoded(b, m), "jpeg": photo(b, m)} {
		b.Run("format="+name+"/size=512", func(b *testing.B) {
			b.SetBytes(512 * 512 * 3)
			for b.Loop() {
				if _, err := Decode(data, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
