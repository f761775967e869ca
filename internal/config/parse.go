package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm"
)

// parser collects what one file says.
type parser struct {
	cfg  *Config
	file string
	dir  string         // paths in the file are relative to it
	line map[string]int // where each key stands
	// HTTPS_PORT goes first, wherever it stands, so ports are put together last.
	ports    []int
	problems []error
}

// Parse reads the text of a configuration file. file is its absolute path: paths
// in it are relative to its directory.
func Parse(file string, text []byte) (*Config, error) {
	p := &parser{cfg: defaults(), file: file, dir: filepath.Dir(file), line: map[string]int{}}
	if !utf8.Valid(text) {
		return nil, p.failure([]error{fmt.Errorf("%s is not UTF-8 text", file)})
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		p.readLine(n, strings.TrimSpace(line))
	}
	p.finish()
	if len(p.problems) > 0 {
		return nil, p.failure(p.problems)
	}
	return p.cfg, nil
}

// readLine takes a key and its value. As ever, only a whole line can be a
// comment, and quotes are part of the value.
func (p *parser) readLine(n int, line string) {
	if line == "" || line[0] == '#' {
		return
	}
	key, value, ok := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" {
		p.problems = append(p.problems, fmt.Errorf("%s:%d: %.40q is not KEY=VALUE: begin the line with # if it is a comment", p.file, n, line))
		return
	}
	if before, twice := p.line[key]; twice {
		p.warn(n, key, fmt.Sprintf("stands in line %d already: the later one counts", before))
	}
	p.line[key] = n
	set, known := keys[key]
	if !known {
		if remark, ok := ignored[key]; ok {
			if remark != "" {
				p.warn(n, key, remark)
			}
			return
		}
		p.warn(n, key, "is not a key that this server knows: it has no effect"+suggestion(key))
		return
	}
	if err := set(p, n, value); err != nil {
		p.problems = append(p.problems, fmt.Errorf("%s:%d: %s: %w", p.file, n, key, err))
	}
}

func (p *parser) warn(n int, key, text string) {
	p.cfg.Warnings = append(p.cfg.Warnings, fmt.Sprintf("%s:%d: %s %s", p.file, n, key, text))
}

// problem reports something that is wrong with a key that may be absent.
func (p *parser) problem(key, format string, args ...any) {
	at := p.file
	if n := p.line[key]; n > 0 {
		at = fmt.Sprintf("%s:%d", p.file, n)
	}
	p.problems = append(p.problems, fmt.Errorf("%s: %s: "+format, append([]any{at, key}, args...)...))
}

func (p *parser) failure(problems []error) error {
	err := errors.Join(problems...)
	return sandstorm.Errorf(sandstorm.Invalid, "config.invalid", "%w", err).With("detail", err.Error())
}

// finish does what needs the whole file.
func (p *parser) finish() {
	c := p.cfg
	if len(p.ports) == 0 && c.HTTPSPort == 0 {
		p.ports = []int{defaultPort}
	}
	if c.HTTPSPort != 0 {
		c.Ports = append(c.Ports, c.HTTPSPort)
	}
	for _, port := range p.ports {
		if !slices.Contains(c.Ports, port) {
			c.Ports = append(c.Ports, port)
		}
	}
	if c.DataDir == "" {
		c.DataDir = filepath.Join(p.dir, "var", "sandstorm")
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		p.problem("TLS_CERT_FILE", "a certificate needs its key: set both TLS_CERT_FILE and TLS_KEY_FILE, or none")
	}
	p.checkHosts()
}

// suggestion names the known key that a mistyped one may mean.
func suggestion(key string) string {
	upper := strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
	for known := range keys {
		if known == upper || strings.ReplaceAll(known, "_", "") == strings.ReplaceAll(upper, "_", "") {
			return " (is " + known + " meant?)"
		}
	}
	return ""
}

// limitedReader fails instead of ending early: half a file must not be taken
// for a whole one.
type limitedReader struct {
	r    io.Reader
	left int
}

func (l *limitedReader) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.left -= n; l.left < 0 {
		return 0, fmt.Errorf("more than %d bytes", maxFile)
	}
	return n, err
}
