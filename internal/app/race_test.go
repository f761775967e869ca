package app_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/hosttest"
	"github.com/sandstorm-go/sandstorm/internal/notify"
)

// meeting is a host at which an upload arrives in the moment in which the same
// package is being removed.
type meeting struct {
	*hosttest.Host
	removing  func()
	installed chan struct{}
}

func (m *meeting) RemovePackage(ctx context.Context, id sandstorm.PackageID) error {
	if m.removing != nil {
		m.removing()
	}
	return m.Host.RemovePackage(ctx, id)
}

func (m *meeting) InstallPackage(ctx context.Context, src io.Reader, opts host.InstallOptions) (*host.Installed, error) {
	in, err := m.Host.InstallPackage(ctx, src, opts)
	if m.removing != nil {
		close(m.installed)
	}
	return in, err
}

// An upload that is said to be ready can be confirmed, even if the package was
// there already, unused, and was just being removed.
func TestUploadMeetsRemoval(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	spk, pkg := f.host.Add(notesID, "Notes", 1)
	m := &meeting{Host: f.host, installed: make(chan struct{})}
	s := app.New(app.Options{
		Store: f.store, Host: m, Notify: &notify.Hub{}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return f.now },
	})
	if _, err := s.Upload(ctx, f.alice, strings.NewReader(spk), -1); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(25 * time.Hour)
	outcome := make(chan error, 1)
	m.removing = func() {
		go func() {
			_, err := s.Upload(ctx, f.bob, strings.NewReader(spk), -1)
			if err == nil {
				_, err = s.Confirm(ctx, f.bob, pkg.ID)
			}
			outcome <- err
		}()
		<-m.installed // the host has found it in its place
		// Give an upload that does not wait the time to do harm.
		select {
		case err := <-outcome:
			outcome <- err
		case <-time.After(200 * time.Millisecond):
		}
	}
	if err := s.Tidy(ctx); err != nil {
		t.Error(err)
	}
	err := <-outcome
	_, inStore := f.store.Package(ctx, pkg.ID)
	_, onHost := f.host.Package(ctx, pkg.ID)
	if (inStore == nil) != (onHost == nil) || (err == nil) != (onHost == nil) {
		t.Errorf("upload and confirmation: %v; in the store: %v; on the host: %v", err, inStore, onHost)
	}
}
