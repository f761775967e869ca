package rootfs

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxJSON bounds indexes, manifests and configurations, as registries do.
const maxJSON = 4 << 20

// digest is the name of a blob by its content (OCI image-spec, descriptor.md).
type digest string

// parse returns the algorithm's name and hash and the hexadecimal digits. What
// it accepts is safe in a path.
func (d digest) parse() (algorithm string, h hash.Hash, digits string, err error) {
	algorithm, digits, _ = strings.Cut(string(d), ":")
	switch algorithm {
	case "sha256":
		h = sha256.New()
	case "sha512":
		h = sha512.New()
	default:
		return "", nil, "", fmt.Errorf("the digest %.90q is of an unknown kind", string(d))
	}
	if raw, err := hex.DecodeString(digits); err != nil || len(raw) != h.Size() || strings.ToLower(digits) != digits {
		return "", nil, "", fmt.Errorf("the digest %.90q is malformed", string(d))
	}
	return algorithm, h, digits, nil
}

// descriptor points to a blob (OCI image-spec, descriptor.md).
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       digest            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *platform         `json:"platform"`
	ArtifactType string            `json:"artifactType"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

// blob is a blob that is being read. Its size and digest are compared at the
// end, which close reads up to.
type blob struct {
	desc  descriptor
	file  *os.File
	r     io.Reader
	hash  hash.Hash
	want  string
	count int64
}

func openBlob(dir string, d descriptor) (*blob, error) {
	algorithm, h, digits, err := d.Digest.parse()
	if err != nil {
		return nil, err
	}
	f, size, err := openFile(filepath.Join(dir, "blobs", algorithm, digits))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the layout has no blob %s; it is incomplete, export the image again", d.Digest)
	}
	if err != nil {
		return nil, err
	}
	if d.Size < 0 || size != d.Size {
		f.Close()
		return nil, fmt.Errorf("the blob %s has %d bytes, but %d are announced", d.Digest, size, d.Size)
	}
	b := &blob{desc: d, file: f, hash: h, want: digits}
	b.r = io.TeeReader(io.LimitReader(f, size), h)
	return b, nil
}

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.count += int64(n)
	return n, err
}

// verify reads the rest and compares size and digest.
func (b *blob) verify() error {
	if _, err := io.Copy(io.Discard, b); err != nil {
		return err
	}
	if b.count != b.desc.Size || hex.EncodeToString(b.hash.Sum(nil)) != b.want {
		return fmt.Errorf("the blob %s is damaged: its content has another digest; export the image again", b.desc.Digest)
	}
	return nil
}

func (b *blob) close() { b.file.Close() }

// readJSON reads a blob that is a JSON document.
func readJSON(dir string, d descriptor, into any) error {
	if d.Size > maxJSON {
		return fmt.Errorf("the document %s has %d bytes; at most %d are allowed", d.Digest, d.Size, maxJSON)
	}
	b, err := openBlob(dir, d)
	if err != nil {
		return err
	}
	defer b.close()
	text, err := io.ReadAll(b)
	if err != nil {
		return err
	}
	if err := b.verify(); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the document %s is malformed: %w", d.Digest, err)
	}
	return nil
}
