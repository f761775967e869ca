//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// proxy is one of the programs that are compared.
type proxy struct {
	name       string
	plain, tls string // addresses
	cmd        *exec.Cmd
	broken     error // why it cannot be measured
}

// configs are the peers' configurations, tuned for this: one worker, no log, no
// temporary files, kept-alive connections to the app, AES-128-GCM as Go chooses.
var configs = map[string]func(b *bench, p *proxy) (config string, command []string){
	"nginx": func(b *bench, p *proxy) (string, []string) {
		return fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 1024; multi_accept on; }
http {
  access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  keepalive_requests 100000000; tcp_nodelay on;
  upstream app { server %[2]s; keepalive 64; keepalive_requests 100000000; }
  server {
    listen %[3]s; listen %[4]s ssl;
    ssl_certificate %[5]s; ssl_certificate_key %[6]s; ssl_protocols TLSv1.3; ssl_prefer_server_ciphers on; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_max_temp_file_size 0; proxy_buffer_size 32k; proxy_buffers 8 32k; }
  }
}
`, b.dir, b.appAddr, p.plain, p.tls, b.cert, b.key), []string{"nginx", "-p", b.dir, "-c", b.file("nginx.conf")}
	},
	"haproxy": func(b *bench, p *proxy) (string, []string) {
		return fmt.Sprintf(`global
  nbthread 1
  maxconn 2000
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind %s
  bind %s ssl crt %s alpn http/1.1 ssl-min-ver TLSv1.3
  default_backend b
backend b
  server app %s
`, p.plain, p.tls, b.bundle, b.appAddr), []string{"haproxy", "-db", "-f", b.file("haproxy.conf")}
	},
	"caddy": func(b *bench, p *proxy) (string, []string) {
		return fmt.Sprintf(`{
  admin off
  auto_https off
}
http://%[1]s {
  reverse_proxy %[5]s
}
https://%[2]s {
  tls %[3]s %[4]s
  reverse_proxy %[5]s
}
`, ":"+port(p.plain), ":"+port(p.tls), b.cert, b.key, b.appAddr), []string{"caddy", "run", "--adapter", "caddyfile", "--config", b.file("caddy.conf")}
	},
}

func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// startProxies starts ours and the peers, each on its own ports.
func (b *bench) startProxies() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{"ours", "nginx", "haproxy", "caddy"} {
		p := &proxy{name: name, plain: freeAddr(), tls: freeAddr()}
		b.proxies = append(b.proxies, p)
		command := []string{
			self, "ours", "-app", b.appAddr, "-plain", p.plain, "-tls", p.tls, "-cert", b.cert, "-key", b.key,
			"-profile", os.Getenv("BENCH_PROFILE"),
		}
		if make, ok := configs[name]; ok {
			var config string
			config, command = make(b, p)
			if err := os.WriteFile(b.file(name+".conf"), []byte(config), 0o600); err != nil {
				return err
			}
		}
		if p.cmd, p.broken = b.spawn(proxyCPU, command...); p.broken == nil {
			p.broken = waitFor(p.plain, p.tls)
		}
		if p.broken != nil && name == "ours" {
			return p.broken
		}
	}
	return nil
}
