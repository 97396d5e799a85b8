import Accounts
import Logging

/// Log lines of what the accounts know of log-ins; failures are logged by the server at the door.
enum LogInLog {
    static func write(_ event: LogInEvent, _ logger: Logger) {
        switch event {
        case .succeeded(let account, let device, let client):
            var facts: Logger.Metadata = ["account": "\(account)", "client": "\(client?.description ?? "local")"]
            if let device { facts["app_password"] = "\(device)" }
            logger.info("logged in", metadata: facts)
        case .revoked(let account, let device, let client):
            logger.notice("a revoked app password is tried", metadata: [
                "account": "\(account)", "app_password": "\(device)", "client": "\(client?.description ?? "local")",
            ])
        case .passwdFile(let faults):
            for fault in faults.prefix(20) { logger.error("passwd_file: what is wrong is left out, the rest holds", metadata: ["error": "\(fault)"]) }
            if faults.count > 20 { logger.error("passwd_file: and more", metadata: ["faults": "\(faults.count)"]) }
        }
    }
}
