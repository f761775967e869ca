// Command pack compares how fast `spk pack` makes a package of a tree, and how
// fast `spk verify` checks it, with `tar | xz -T0` and `xz -dc` on the same
// files. It is what `make bench-pack` runs.
//
// Ours does more: each file is read twice, the whole is hashed twice and signed,
// and what verify reads is parsed.
package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

func main() {
	size := flag.Int64("size", 300, "megabytes of files in the package")
	rounds := flag.Int("rounds", 3, "rounds to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *size<<20, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench-pack:", err)
		os.Exit(1)
	}
}

// ratios are ours over the peer's, one for each round.
type ratios struct{ packed, verified, size []float64 }

func run(ctx context.Context, size int64, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "bench-pack.")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{tree: filepath.Join(dir, "tree"), spk: filepath.Join(dir, "app.spk"), txz: filepath.Join(dir, "app.tar.xz")}
	if err := sample.Tree(b.tree, size); err != nil {
		return err
	}
	manifest := filepath.Join(b.tree, spk.ManifestName)
	if err := os.WriteFile(manifest, nil, 0o600); err != nil {
		return err
	}
	var r ratios
	for i := range rounds {
		if err := b.round(ctx, i+1, &r); err != nil {
			return err
		}
	}
	fmt.Println("bench-pack: size: ours/xz =", sample.Ratios(r.size))
	fmt.Println("bench-pack: verify: ours/xz -dc =", sample.Ratios(r.verified))
	fmt.Println("bench-pack: pack: ours/tar|xz -T0 =", sample.Ratios(r.packed))
	return nil
}

type bench struct{ tree, spk, txz string }

func (b *bench) round(ctx context.Context, n int, r *ratios) error {
	var times [4]time.Duration
	for i, do := range []func(context.Context) error{b.pack, b.tar, b.verify, b.decompress} {
		began := time.Now()
		if err := do(ctx); err != nil {
			return err
		}
		times[i] = time.Since(began)
	}
	ours, err := os.Stat(b.spk)
	if err != nil {
		return err
	}
	theirs, err := os.Stat(b.txz)
	if err != nil {
		return err
	}
	fmt.Printf("round %d: pack %.1f s, tar|xz %.1f s; verify %.2f s, xz -dc %.2f s; %d MB, tar.xz %d MB\n", n,
		times[0].Seconds(), times[1].Seconds(), times[2].Seconds(), times[3].Seconds(), ours.Size()>>20, theirs.Size()>>20)
	r.packed = append(r.packed, times[0].Seconds()/times[1].Seconds())
	r.verified = append(r.verified, times[2].Seconds()/times[3].Seconds())
	r.size = append(r.size, float64(ours.Size())/float64(theirs.Size()))
	return nil
}

// pack makes a package, as `spk pack` does.
func (b *bench) pack(ctx context.Context) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	root, err := spk.ReadTree(b.tree, spk.TreeOptions{})
	if err != nil {
		return err
	}
	out, err := os.Create(b.spk)
	if err != nil {
		return err
	}
	_, err = spk.Write(ctx, out, key, root, spk.WriteOptions{})
	return errors.Join(err, out.Close())
}

// tar is what one does without us.
func (b *bench) tar(ctx context.Context) error {
	tar := exec.CommandContext(ctx, "tar", "-cf", "-", "-C", b.tree, ".")
	xz := exec.CommandContext(ctx, "xz", "-c", "-T0")
	var err error
	if xz.Stdin, err = tar.StdoutPipe(); err != nil {
		return err
	}
	out, err := os.Create(b.txz)
	if err != nil {
		return err
	}
	xz.Stdout = out
	return errors.Join(tar.Start(), xz.Run(), tar.Wait(), out.Close())
}

// verify reads the whole package and checks it, its archive included. The
// manifest is empty here, which is not looked at.
func (b *bench) verify(ctx context.Context) error {
	f, err := os.Open(b.spk)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = spk.Verify(ctx, f, spk.OpenOptions{TempDir: filepath.Dir(b.spk)})
	return err
}

// decompress runs the peer on its own file.
func (b *bench) decompress(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "xz", "-dc", b.txz)
	cmd.Stdout = io.Discard
	return cmd.Run()
}
