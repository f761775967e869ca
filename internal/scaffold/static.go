package scaffold

import "path"

// builtPage returns the page that a build tool made, or "".
func builtPage(s *source) string {
	return s.first("dist/index.html", "build/index.html", "out/index.html", "_site/index.html", "public/index.html", "www/index.html")
}

func lookStatic(s *source, find finder) *Found {
	page := s.first("index.html", "index.htm")
	if page == "" {
		page = builtPage(s)
	}
	if page == "" {
		return nil
	}
	return static(s, find, page, &packageJSON{})
}

// static serves pages that need no program of their own. There has to be some
// server in the package: busybox has a small one, Python's is larger.
func static(s *source, find finder, page string, p *packageJSON) *Found {
	f := &Found{Kind: Static, Title: p.Name, Version: p.Version, Website: p.Homepage, License: oneOf(p.License)}
	pages := inApp(path.Dir(page))
	if busybox := find("busybox"); busybox != "" {
		f.Command = []string{busybox, "httpd", "-f", "-p", "127.0.0.1:@PORT@", "-h", pages}
	} else if python := find("python3"); python != "" {
		f.Command = []string{python, "-m", "http.server", "--bind", "127.0.0.1", "--directory", pages, "@PORT@"}
		f.note("The pages are served by Python. With busybox installed (Debian package busybox-static), 'spk init' takes that: the package gets much smaller.")
	} else {
		f.Command = []string{"/bin/busybox", "httpd", "-f", "-p", "127.0.0.1:@PORT@", "-h", pages}
		f.note("The pages need a server. Install busybox (Debian package busybox-static): its files are found by running the app here.")
	}
	if dir := path.Dir(page); dir != "." {
		f.note("The pages are those in %s. Build them before packing.", dir)
	}
	return f
}
