package shell

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// identicon draws the picture of 32 or more hex digits, size pixels square, as
// an SVG (shell.md §9): a grid of 5×5 cells, mirrored about its middle column,
// with a margin of 8 %. An even digit fills its cell; the last seven digits
// choose the colour. Imported data refers to these pictures, so they must look
// as they always did.
func identicon(hash string, size int) (svg []byte, ok bool) {
	if len(hash) < 32 || len(hash) > 128 {
		return nil, false
	}
	digits := make([]int, len(hash))
	for i := range len(hash) {
		d, err := strconv.ParseUint(hash[i:i+1], 16, 8)
		if err != nil {
			return nil, false
		}
		digits[i] = int(d)
	}
	hue, err := strconv.ParseUint(hash[len(hash)-7:], 16, 32)
	if err != nil {
		return nil, false
	}
	r, g, b := hsl(float64(hue)/0xfffffff, 0.5, 0.7)
	base := int(math.Floor(float64(size) * 0.08))
	cell := (size - 2*base) / 5
	margin := (size - 5*cell) / 2

	var buf bytes.Buffer
	fmt.Fprintf(&buf, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`, size, size)
	fmt.Fprintf(&buf, `<rect width="%d" height="%d" fill="rgb(240,240,240)"/><g fill="rgb(%d,%d,%d)">`, size, size, r, g, b)
	fill := func(col, row int) {
		fmt.Fprintf(&buf, `<rect x="%d" y="%d" width="%d" height="%d"/>`, col*cell+margin, row*cell+margin, cell, cell)
	}
	for i := range 15 {
		if digits[i]%2 != 0 {
			continue
		}
		switch row := i % 5; i / 5 {
		case 0:
			fill(2, row)
		case 1:
			fill(1, row)
			fill(3, row)
		case 2:
			fill(0, row)
			fill(4, row)
		}
	}
	buf.WriteString(`</g></svg>`)
	return buf.Bytes(), true
}

// hsl converts a colour; all arguments are from 0 to 1.
func hsl(h, s, l float64) (r, g, b int) {
	c := (1 - math.Abs(2*l-1)) * s
	x := c * (1 - math.Abs(math.Mod(h*6, 2)-1))
	m := l - c/2
	var rgb [3]float64
	switch int(h*6) % 6 {
	case 0:
		rgb = [3]float64{c, x, 0}
	case 1:
		rgb = [3]float64{x, c, 0}
	case 2:
		rgb = [3]float64{0, c, x}
	case 3:
		rgb = [3]float64{0, x, c}
	case 4:
		rgb = [3]float64{x, 0, c}
	default:
		rgb = [3]float64{c, 0, x}
	}
	for i := range rgb {
		rgb[i] = math.Floor((rgb[i] + m) * 255)
	}
	return int(rgb[0]), int(rgb[1]), int(rgb[2])
}
