//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The CPUs, as taskset names them.
const (
	proxyCPU = "0"
	loadCPU  = "1"
)

// bench is a run: the app, the proxies, and what was measured.
type bench struct {
	dir               string
	cert, key, bundle string // PEM files
	appAddr           string
	proxies           []*proxy
	started           []*exec.Cmd
	results           map[key][]result
}

type key struct{ proxy, workload string }

type result struct {
	requests int
	cpu      time.Duration // of the proxy
	elapsed  time.Duration
}

func (r result) perRequest() time.Duration { return r.cpu / time.Duration(r.requests) }

func (b *bench) start() error {
	for _, tool := range []string{"taskset", "wrk"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed: %w", tool, err)
		}
	}
	if err := b.makeCertificate(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.appAddr = freeAddr()
	if _, err := b.spawn(loadCPU, self, "app", b.appAddr); err != nil {
		return err
	}
	if err := waitFor(b.appAddr); err != nil {
		return err
	}
	return b.startProxies()
}

// spawn starts a command on one CPU. It dies with us.
func (b *bench) spawn(cpu string, command ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		if path = "/usr/sbin/" + command[0]; !exists(path) {
			return nil, err
		}
	}
	cmd := exec.Command("taskset", append([]string{"-c", cpu, path}, command[1:]...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "HOME="+b.dir)
	cmd.Stderr = os.Stderr
	if command[0] == "caddy" {
		cmd.Stderr = nil // it logs its start there
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b.started = append(b.started, cmd)
	return cmd, nil
}

func (b *bench) stop() {
	for _, cmd := range b.started {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// freeAddr is an address on loopback that nobody listens on.
func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer l.Close()
	return l.Addr().String()
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// waitFor returns once somebody listens on all the addresses.
func waitFor(addrs ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, addr := range addrs {
		for {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", addr)
			if err == nil {
				c.Close()
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("nobody listens on %s: %w", addr, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkErrors   = regexp.MustCompile(`Non-2xx|Socket errors: connect [1-9]|timeout [1-9]|read [1-9]`)
)

// measure puts load on a proxy.
func (b *bench) measure(p *proxy, w workload, d time.Duration) (result, error) {
	url := "http://" + p.plain + w.path
	if w.tls {
		url = "https://" + p.tls + w.path
	}
	before, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	cmd := exec.Command("taskset", "-c", loadCPU, "wrk", "-t1", "-c"+strconv.Itoa(w.connections), "-d"+strconv.Itoa(int(d.Seconds()))+"s",
		"--timeout", "30s", "-H", "Host: "+sessionHost(), "-H", "Cookie: theme=dark; sandstorm-sid="+sessionID.Reveal(),
		"-H", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)", "-H", "Accept: */*", "-H", "Accept-Language: en-US,en;q=0.5",
		"-H", "Sec-Fetch-Site: same-origin", "-H", "Sec-Fetch-Mode: cors", "-H", "Sec-Fetch-Dest: empty", url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	elapsed := time.Since(begin)
	after, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	m := wrkRequests.FindSubmatch(out)
	if m == nil || wrkErrors.Match(out) {
		return result{}, fmt.Errorf("wrk says: %s", out)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err == nil && n == 0 {
		err = errors.New("no requests")
	}
	return result{requests: n, cpu: after - before, elapsed: elapsed}, err
}

// cpuTime is what a process and its children that ended have used. (The peers
// run as one process each.)
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold spaces; utime is the 12th field behind.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 15 {
		return 0, errors.New("unknown format of /proc/PID/stat")
	}
	var ticks int64
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const ticksPerSecond = 100 // USER_HZ on every architecture that Go runs on
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// makeCertificate writes a self-made P-256 certificate.
func (b *bench) makeCertificate() error {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{baseHost, "*." + baseHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	b.cert, b.key, b.bundle = b.file("cert.pem"), b.file("key.pem"), b.file("bundle.pem")
	return errors.Join(
		os.WriteFile(b.cert, certPEM, 0o600), os.WriteFile(b.key, keyPEM, 0o600),
		os.WriteFile(b.bundle, append(certPEM, keyPEM...), 0o600),
	)
}
