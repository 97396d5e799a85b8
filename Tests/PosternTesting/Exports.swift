// The resolver made of zone text, which every test takes its DNS from, is the DNS library's own: rule tests need it too.
@_exported import DNS
