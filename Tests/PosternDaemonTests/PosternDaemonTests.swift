// Tests of PosternDaemon.
