// Package mail sends the server's own mail: one message to one person through
// the administrator's SMTP server, whose certificate is verified.
//
// The SMTP server is chosen by the administrator, not by users, and often stands
// in the same private network. So the rule of package netguard does not apply to
// it; the connection is made there all the same.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/netguard"
)

// sendTimeout bounds one delivery from the first packet to the last.
const sendTimeout = 45 * time.Second

// ImplicitTLSPort is the port on which TLS comes first; on others it is begun by
// STARTTLS.
const ImplicitTLSPort = 465

// SMTP says how mail leaves.
type SMTP struct {
	Host     string
	Port     int    // 465 means TLS from the start, others STARTTLS
	User     string // empty: no authentication
	Password sandstorm.Secret
	From     string // one address
}

// Message is one mail to one person, in plain text.
type Message struct {
	To      Address
	Name    string // the sender's display name, for example the server's title
	Subject string
	Text    string
}

// Sender sends mail. Its zero value is ready; its methods may be called
// concurrently.
type Sender struct {
	// RootCAs are who may vouch for SMTP servers; nil means the system's.
	RootCAs *x509.CertPool

	// nearness says how far away an address is, for tests of what applies to
	// servers on the internet.
	nearness func(netip.Addr) nearness
}

// nearness of an SMTP server decides how much TLS is asked for.
type nearness uint8

const (
	farAway     nearness = iota // across the internet: TLS or nothing
	nearby                      // in a private network: TLS if offered, always for passwords
	thisMachine                 // nobody listens in between
)

// isNear classifies the address that was really connected to.
func isNear(ip netip.Addr) nearness {
	switch ip = ip.Unmap(); {
	case ip.IsLoopback():
		return thisMachine
	case ip.IsPrivate() || ip.IsLinkLocalUnicast():
		return nearby
	}
	return farAway
}

// Send delivers a message to the SMTP server. It is Unavailable if the server
// cannot be reached or does not take mail now, Invalid if it refuses the
// recipient for good.
func (s *Sender) Send(ctx context.Context, via SMTP, m Message) error {
	if err := via.Check(); err != nil {
		return err
	}
	msg, err := compose(via, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	address := net.JoinHostPort(via.Host, strconv.Itoa(via.Port))
	conn, err := netguard.DialTrusted(ctx, "tcp", address)
	if err != nil {
		return failed("connect to "+address, err)
	}
	defer conn.Close()
	// The SMTP client heeds deadlines only.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return s.deliver(ctx, conn, via, msg)
}

func (s *Sender) deliver(ctx context.Context, conn net.Conn, via SMTP, msg *gomail.Msg) error {
	opts := []gomail.Option{
		gomail.WithPort(via.Port), gomail.WithTimeout(sendTimeout), gomail.WithoutNoop(),
	}
	var err error
	if conn, opts, err = s.secure(ctx, conn, via, opts); err != nil {
		return err
	}
	opts = append(opts, gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }))
	if via.User != "" {
		// PLAIN and LOGIN refuse to send the password without TLS.
		opts = append(opts, gomail.WithUsername(via.User), gomail.WithPassword(via.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain,
				gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	client, err := gomail.NewClient(via.Host, opts...)
	if err != nil {
		return failed("prepare mail", err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return failed("greet "+via.Host, err)
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil {
		return refused(via.Host, err)
	}
	// The server has taken it; that it then hangs up rudely is no failure.
	_ = client.CloseWithSMTPClient(session)
	return nil
}

// secure decides on TLS by where the server is, and begins it on port 465.
func (s *Sender) secure(ctx context.Context, conn net.Conn, via SMTP, opts []gomail.Option) (net.Conn, []gomail.Option, error) {
	cfg := &tls.Config{ServerName: via.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	judge := s.nearness
	if judge == nil {
		judge = isNear
	}
	where := farAway
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		where = judge(at.Addr())
	}
	if where == thisMachine {
		// The usual mail server on the same machine has a made-up certificate
		// for another name; there is nobody in between whom it would stop.
		cfg.InsecureSkipVerify = true
	}
	if via.Port == ImplicitTLSPort {
		secured := tls.Client(conn, cfg)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, nil, failed("begin TLS with "+via.Host, err)
		}
		return secured, append(opts, gomail.WithSSL()), nil
	}
	policy := gomail.TLSMandatory
	if where == thisMachine || where == nearby && via.User == "" {
		policy = gomail.TLSOpportunistic
	}
	return conn, append(opts, gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(cfg)), nil
}

// failed keeps what the server said for the administrator's test mail.
func failed(doing string, err error) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "mail.failed", "mail: %s: %w", doing, err).With("detail", err.Error())
}

func refused(host string, err error) error {
	var send *gomail.SendError
	if errors.As(err, &send) && send.Reason == gomail.ErrSMTPRcptTo && !send.IsTemp() {
		return sandstorm.Errorf(sandstorm.Invalid, "mail.refused", "mail: %s refuses the recipient: %w", host, err)
	}
	return failed("send through "+host, err)
}

// compose builds the message with its one recipient.
func compose(via SMTP, m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	var err error
	if m.Name != "" {
		err = msg.FromFormat(m.Name, via.From)
	} else {
		err = msg.From(via.From)
	}
	if err == nil {
		err = msg.To(m.To.String())
	}
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "mail.bad-address", "mail: %w", err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetUserAgent("")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}
