package setup

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

const (
	// TokenLife is how long an admin token is good, by the time of its file.
	TokenLife = time.Hour
	// tokenFile is where the token lies below the data directory.
	tokenFile = "server/adminToken"
	// tokenLength is 20 bytes in hex.
	tokenLength = 40
)

// NewToken makes an admin token, in place of an earlier one, for the command
// that prints it. Run by root it belongs to whom the data directory belongs to,
// so that the server can read it.
func NewToken(dataDir string) (sandstorm.Secret, error) {
	path := filepath.Join(dataDir, tokenFile)
	fail := func(err error) (sandstorm.Secret, error) {
		return "", sandstorm.Errorf(sandstorm.Unavailable, "setup.token-file", "write the admin token: %w", err).With("path", path)
	}
	if err := makeDir(dataDir, filepath.Dir(path)); err != nil {
		return fail(err)
	}
	var b [tokenLength / 2]byte
	rand.Read(b[:])
	token := hex.EncodeToString(b[:])
	tmp, err := os.CreateTemp(filepath.Dir(path), ".adminToken.*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(tmp.Name())
	_, err = io.WriteString(tmp, token)
	err = errors.Join(err, tmp.Chmod(0o640), giveTo(tmp, filepath.Dir(path)), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fail(err)
	}
	return sandstorm.Secret(token), nil
}

// makeDir makes dir for a server that has never run, with the owner of its
// parent, which must be there: a typing mistake must not make a data directory.
func makeDir(parent, dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(giveTo(f, parent), f.Close())
}

// giveTo makes f belong to the owner of dir, if we are root.
func giveTo(f *os.File, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return err
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

func wrongToken() *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.Denied, "setup.wrong-token", "there is no such admin token, or it is older than an hour")
}

// spendToken checks the token against the file and removes the file. Of several
// requests with the right token, in whatever process, one removes it.
func spendToken(path string, token sandstorm.Secret, now time.Time) error {
	text, made, err := readToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		return wrongToken()
	}
	if err != nil {
		return sandstorm.Errorf(sandstorm.Unavailable, "setup.token-file", "read the admin token: %w", err).With("path", path)
	}
	if len(text) != tokenLength || subtle.ConstantTimeCompare([]byte(text), []byte(token.Reveal())) != 1 {
		return wrongToken()
	}
	if age := now.Sub(made); age > TokenLife || age < -time.Minute {
		return wrongToken()
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return wrongToken()
	} else if err != nil {
		return sandstorm.Errorf(sandstorm.Unavailable, "setup.token-file", "spend the admin token: %w", err).With("path", path)
	}
	return nil
}

// readToken returns the file's text and age. It does not follow links, and does
// not trust a file that others may write.
func readToken(path string) (text string, made time.Time, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", time.Time{}, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o027 != 0 {
		return "", time.Time{}, errors.New("not a regular file of mode 0640")
	}
	b, err := io.ReadAll(io.LimitReader(f, 2*tokenLength))
	return strings.TrimSpace(string(b)), info.ModTime(), err
}
