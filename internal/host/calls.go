package host

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// RemovePackage implements Client.
func (c *client) RemovePackage(ctx context.Context, id sandstorm.PackageID) error {
	return c.do(ctx, wire.OpRemove, wire.PackageParams{Package: id}, nil)
}

// Package implements Client.
func (c *client) Package(ctx context.Context, id sandstorm.PackageID) (*Installed, error) {
	out := new(Installed)
	if err := c.do(ctx, wire.OpPackage, wire.PackageParams{Package: id}, out); err != nil {
		return nil, err
	}
	return out, nil
}

// CreateGrain implements Client.
func (c *client) CreateGrain(ctx context.Context, lease Lease) error {
	return c.do(ctx, wire.OpCreate, lease, nil)
}

// StartGrain implements Client.
func (c *client) StartGrain(ctx context.Context, req StartRequest) (*GrainStatus, error) {
	out := new(GrainStatus)
	if err := c.do(ctx, wire.OpStart, req, out); err != nil {
		return nil, err
	}
	return out, nil
}

// StopGrain implements Client.
func (c *client) StopGrain(ctx context.Context, lease Lease) error {
	return c.do(ctx, wire.OpStop, lease, nil)
}

// DeleteGrain implements Client.
func (c *client) DeleteGrain(ctx context.Context, lease Lease) error {
	return c.do(ctx, wire.OpDelete, lease, nil)
}

// Grains implements Client.
func (c *client) Grains(ctx context.Context) ([]GrainStatus, error) {
	var out []GrainStatus
	if err := c.do(ctx, wire.OpGrains, wire.Empty{}, &out); err != nil {
		return nil, err
	}
	return out, nil
}

// GrainSize implements Client.
func (c *client) GrainSize(ctx context.Context, id sandstorm.GrainID) (int64, error) {
	var out wire.SizeResult
	err := c.do(ctx, wire.OpGrainSize, wire.GrainParams{Grain: id}, &out)
	return out.Bytes, err
}

// Info implements Client.
func (c *client) Info(ctx context.Context) (*Info, error) {
	out := new(Info)
	if err := c.do(ctx, wire.OpInfo, wire.Empty{}, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Shutdown implements Client. Who ends the host process wants no other one:
// this client starts none from now on.
func (c *client) Shutdown(ctx context.Context, stopGrains bool) error {
	err := c.do(ctx, wire.OpShutdown, wire.ShutdownParams{StopGrains: stopGrains}, nil)
	if err == nil {
		c.turn <- struct{}{}
		c.again = nil
		<-c.turn
	}
	return err
}
