package spk

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// encodeJSON keeps the order of members, unlike a map.
func encodeJSON(v any, details bool) ([]byte, error) {
	var flat bytes.Buffer
	writeJSON(&flat, v, details)
	var out bytes.Buffer
	if err := json.Indent(&out, flat.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("encode description: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, v any, details bool) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case number:
		b.WriteString(strconv.FormatInt(int64(v), 10))
	case string:
		b.WriteString(quote(v))
	case []byte:
		if details {
			b.WriteString(quote(base64.StdEncoding.EncodeToString(v)))
			return
		}
		writeJSON(b, summary(v), false)
	case svg:
		if details {
			b.WriteString(quote(string(v)))
			return
		}
		writeJSON(b, summary([]byte(v)), false)
	case list:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, element, details)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, field := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(field.name) + ":")
			writeJSON(b, field.value, details)
		}
		b.WriteByte('}')
	default:
		panic(fmt.Sprintf("description with a %T", v))
	}
}

// summary stands for what few want to see.
func summary(b []byte) object {
	sum := sha256.Sum256(b)
	return object{{"size", number(len(b))}, {"sha256", hex.EncodeToString(sum[:])}}
}
