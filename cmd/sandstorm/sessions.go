package main

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
	"github.com/sandstorm-go/sandstorm/internal/grain"
)

// grainSessions lets the gateway ask the rules of grains, which do not know it.
type grainSessions struct{ grains *grain.Manager }

var _ gateway.SessionSource = grainSessions{}

// Open implements gateway.SessionSource.
func (s grainSessions) Open(ctx context.Context, host sandstorm.HostID) (gateway.OpenSession, error) {
	v, err := s.grains.Visit(ctx, host)
	if err != nil {
		return gateway.OpenSession{}, err
	}
	return gateway.OpenSession{Bridge: v.Session, App: v.App}, nil
}
