package spk

// WithLimits lowers the limits of the archive and of the file, as reaching the
// real ones takes long.
func (o OpenOptions) WithLimits(archive, packed int64) OpenOptions {
	o.maxArchive, o.maxPacked = archive, packed
	return o
}
