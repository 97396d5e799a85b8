// The PosternDaemon target.
