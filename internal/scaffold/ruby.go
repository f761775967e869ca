package scaffold

import "strings"

func lookRuby(s *source, find finder) *Found {
	if !s.has("Gemfile") && !s.has("config.ru") {
		return nil
	}
	f := &Found{Kind: Ruby, Environ: [][2]string{
		{"RACK_ENV", "production"},
		{"RAILS_ENV", "production"},
		{"RAILS_LOG_TO_STDOUT", "1"},
		{"RAILS_SERVE_STATIC_FILES", "1"},
		{"BUNDLE_PATH", inApp("vendor/bundle")},
		{"BUNDLE_FROZEN", "1"},
		{"PORT", "@PORT@"},
	}}
	ruby := f.interpreter(find, "ruby", "ruby3.1")
	gems := s.read("Gemfile") + s.read("Gemfile.lock")
	bundle := []string{ruby, "-S", "bundle", "exec"}
	switch {
	case s.has("bin/rails"):
		f.launch([]string{strings.Join([]string{shellWord(ruby), "bin/rails", "db:prepare"}, " ")},
			ruby, "bin/rails", "server", "-b", "127.0.0.1", "-p", "@PORT@", "-P", "/tmp/server.pid")
		f.note("Settings: the database as a file below %s, config.hosts.clear (the platform checks host names), SECRET_KEY_BASE made at the first start and kept in /var, logs and cache not below the app's directory.", dataDir)
	case strings.Contains(gems, "puma"):
		f.launch(nil, append(bundle, "puma", "-b", "tcp://127.0.0.1:@PORT@")...)
	case s.has("config.ru"):
		f.launch(nil, append(bundle, "rackup", "-o", "127.0.0.1", "-p", "@PORT@")...)
	default:
		entry := s.first("app.rb", "server.rb", "main.rb")
		if entry == "" {
			entry = "app.rb"
			f.note("There is neither config.ru nor app.rb. Write into %s how the app is started.", LauncherName)
		}
		f.launch(nil, append(bundle, "ruby", entry, "-o", "127.0.0.1", "-p", "@PORT@")...)
	}
	if !s.hasDir("vendor/bundle") {
		f.note("There is no vendor/bundle. Before packing: bundle config set --local path vendor/bundle && bundle install")
	}
	return f
}
