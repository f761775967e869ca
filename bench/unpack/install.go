//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// installs compares the installation of a package by a host process, from the
// first byte until a grain can start, with `xz -dc` of the same file.
func installs(ctx context.Context, file string, rounds int) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w: run “make apps” first", err)
	}
	h, err := hostproc.Start()
	if err != nil {
		return err
	}
	defer h.Close()
	const magic = 8
	var ratios []float64
	for i := -1; i < rounds; i++ {
		began := time.Now()
		in, err := h.Client.InstallPackage(ctx, bytes.NewReader(content), host.InstallOptions{})
		ours := time.Since(began)
		if err != nil {
			return err
		}
		if err := h.Client.RemovePackage(ctx, in.Package.ID); err != nil {
			return err
		}
		xz := exec.CommandContext(ctx, "xz", "-dc")
		xz.Stdin = bytes.NewReader(content[magic:])
		began = time.Now()
		if err := xz.Run(); err != nil {
			return fmt.Errorf("xz: %w", err)
		}
		theirs := time.Since(began)
		if i >= 0 {
			fmt.Printf("round %d: installed in %.2f s; xz %.2f s\n", i+1, ours.Seconds(), theirs.Seconds())
			ratios = append(ratios, ours.Seconds()/theirs.Seconds())
		}
	}
	fmt.Println("bench-unpack: install of "+file+": ours/xz =", sample.Ratios(ratios))
	return nil
}
