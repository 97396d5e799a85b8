import ArgumentParser
import BlockingPool
import Checkup
import DNS
import Diagnostics
import Foundation
import NetworkAddress
import PosternDaemon
import PublishedRecords

extension DoctorCommand {
    struct MachineCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "machine",
            abstract: "Look at this server from all sides (the default).",
            discussion: """
                Settings, ports, certificates, clock, files and their owners, disk, DNS, systemd unit; a message through every \
                door to an account that exists for this alone and is removed again; and all that postern dns check looks at. \
                Ends in a list of what to mend, most important first. Run it as root: others cannot see who holds a port.

                Exit status: 0 all is right (notes may be told), 1 something is wrong, 2 something could not be found out and \
                nothing is known to be wrong, 64 wrong arguments.
                """)

        @OptionGroup var server: ServerOptions
        @OptionGroup var way: CheckupOptions
        @Flag(name: .customLong("no-doors"), help: "Send no message.") var noDoors = false
        @Flag(name: .customLong("no-dns"), help: "Only the machine: leave out what postern dns check looks at.") var noDNS = false
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let report = await examine()
            do { print(json ? try ReportJSON.text(report) : CheckOutput.text(report, closing: "Nothing to mend.")) } catch {
                FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
                throw ExitCode(2)
            }
            if report.status != 0 { throw ExitCode(report.status) }
        }

        private func examine() async -> CheckReport {
            let settings: Settings, setup: MailSetup
            do { (settings, setup, _) = try server.read() } catch {
                return CheckReport([CheckFinding("settings", server.file.config, .wrong, .safety, "\(error)", remedy: "mend the settings file; postern check says more")])
            }
            let examination = MachineExamination(settings, file: server.file.config)
            do {
                let machine = try await way.run(settings, setup, problems: []) { checkup, ports in
                    examination.tasks(checkup) + (noDNS ? [] : checkup.checks() + checkup.certificateChecks(ports))
                }
                // Last, since the process gives up root for it.
                guard !noDoors, examination.isRunning else { return machine }
                return CheckReport(machine.findings + (await doors(settings)))
            } catch { return CheckReport([CheckFinding("resolver", "the resolver", .wrong, .safety, "\(error)", remedy: "mend the settings under [dns]")]) }
        }

        private func doors(_ settings: Settings) async -> [CheckFinding] {
            let trial: TrialAccount
            do { trial = try TrialAccount(settings) } catch {
                return [CheckFinding("doors", "the trial account", .unknown, .receiving, "no account for trial messages could be made: \(error)")]
            }
            let line = CheckProgressLine()
            let account = DoorCheck.Account(address: trial.address, password: trial.password, mailbox: trial.mailbox)
            let check = DoorCheck(MachineExamination.doors(settings, file: server.file.config), account: account, pool: BlockingPool(threads: 8, name: "door"))
            let report = await CheckRun(check.tasks(), limit: .seconds(45)) { line.show($0) }.run()
            line.clear()
            do { try trial.remove() } catch {
                return report.findings + [CheckFinding("doors", trial.address.description, .wrong, .minor, "the trial account could not be removed: \(error)", remedy: "postern account remove \(trial.address)")]
            }
            return report.findings
        }
    }
}
