package store

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// LoginCode is a one-time code that was mailed. The code itself is not kept.
type LoginCode struct {
	Digest     string // SHA-256 in hex
	Address    string // where it was mailed
	ReturnPath sandstorm.Secret
	Created    time.Time
}

// CodeLimits bound guessing and mailing.
type CodeLimits struct {
	Since       time.Time // older codes are dead
	Outstanding int       // codes that one address may have at a time
	Attempts    int       // wrong tries after which a code is dead
}

const returnPathColumn = "login_codes.return_path"

// InsertLoginCode records a code, unless its address has too many that still
// work: then Exhausted.
func (s *Store) InsertLoginCode(ctx context.Context, c *LoginCode, l CodeLimits) error {
	return s.write(ctx, "insert login code", func(q querier) error {
		if _, err := q.exec(ctx, `DELETE FROM login_codes WHERE created_at < $1`, ms(l.Since)); err != nil {
			return err
		}
		// Dead ones count too: guessing must not make room for more mail.
		n, _, err := one(ctx, q, value[int64], `SELECT count(*) FROM login_codes WHERE folded = $1`, Fold(c.Address))
		if err != nil {
			return err
		}
		if n >= int64(l.Outstanding) {
			return sandstorm.Errorf(sandstorm.Exhausted, "login.too-many-codes", "%d codes are outstanding for this address", n)
		}
		_, err = q.exec(ctx, `INSERT INTO login_codes (digest, folded, address, return_path, attempts, created_at) VALUES ($1, $2, $3, $4, 0, $5)`,
			c.Digest, Fold(c.Address), c.Address, s.box.seal(returnPathColumn, []byte(c.ReturnPath.Reveal())), ms(c.Created))
		return err
	})
}

// DeleteLoginCode forgets a code that could not be mailed.
func (s *Store) DeleteLoginCode(ctx context.Context, digest string) error {
	_, err := s.update(ctx, "delete login code", `DELETE FROM login_codes WHERE digest = $1`, digest)
	return err
}

// UseLoginCode consumes the address's code with that digest and returns it. A
// wrong digest counts as a try against each of the address's codes, and is
// Denied; so is a right one that came too late.
func (s *Store) UseLoginCode(ctx context.Context, address, digest string, l CodeLimits) (*LoginCode, error) {
	var hit *LoginCode
	err := s.write(ctx, "use login code", func(q querier) error {
		hit = nil
		codes, err := list(ctx, q, func(row scanner) (c LoginCode, err error) {
			var path []byte
			var created int64
			if err := row.Scan(&c.Digest, &c.Address, &path, &created); err != nil {
				return c, err
			}
			plain, err := s.box.open(returnPathColumn, path)
			c.ReturnPath, c.Created = sandstorm.Secret(plain), fromMS(created)
			return c, err
		}, `SELECT digest, address, return_path, created_at FROM login_codes WHERE folded = $1 AND created_at >= $2 AND attempts < $3`,
			Fold(address), ms(l.Since), int64(l.Attempts))
		if err != nil {
			return err
		}
		for i := range codes {
			if subtle.ConstantTimeCompare([]byte(codes[i].Digest), []byte(digest)) == 1 {
				hit = &codes[i]
			}
		}
		if hit == nil {
			_, err = q.exec(ctx, `UPDATE login_codes SET attempts = attempts + 1 WHERE folded = $1`, Fold(address))
		} else {
			_, err = q.exec(ctx, `DELETE FROM login_codes WHERE digest = $1`, hit.Digest)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if hit == nil {
		return nil, sandstorm.Errorf(sandstorm.Denied, "login.wrong-code", "no such login code for this address, or it is too old")
	}
	return hit, nil
}
