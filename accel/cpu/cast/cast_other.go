//go:build !amd64

package cast

// Plain Go leaves everything to the loops of the tails.

func (impl) f16ToF32([]float32, []uint16) int { return 0 }

func (impl) f32ToF16([]uint16, []float32) int { return 0 }

func (impl) bf16ToF32([]float32, []uint16) int { return 0 }

func (impl) f32ToBF16([]uint16, []float32) int { return 0 }

func (impl) f64ToF32([]float32, []float64) int { return 0 }

func (impl) f32ToF64([]float64, []float32) int { return 0 }

func (impl) quantize8([]uint8, []float32, *quantum) int { return 0 }

func (impl) quantize16([]uint16, []float32, *quantum) int { return 0 }

func (impl) dequantizeU8([]float32, []uint8, float32, int32) int { return 0 }

func (impl) dequantizeS8([]float32, []uint8, float32, int32) int { return 0 }

func (impl) dequantizeU16([]float32, []uint16, float32, int32) int { return 0 }

func (impl) dequantizeS16([]float32, []uint16, float32, int32) int { return 0 }

func (impl) bounds([]float32, *[2]float32) int { return 0 }
