import BlockingPool
import Foundation
import InternetMessage
import Logging
import Milter
import MilterServer
import NetworkAddress
import ScenarioTesting
import Synchronization

/// A milter with scripted filters, as a process of its own: libmilter serves once in a process, so the tests that
/// speak the protocol start this one.
///
///     milter-fixture SOCKET [--stages mail,rcpt,endOfMessage] [--own 192.0.2.0/24] [--limit OCTETS] [--deadline MS] [--spool DIR]
///                    [--mode BITS] [--group GID]
///
/// Prints `ready` when it listens, or the error and exits 1. Ends when its standard input does, and says `stopped`.
@main
enum Fixture {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count >= 2 else {
            print("usage: milter-fixture SOCKET [--stages LIST] [--own NET] [--limit N] [--deadline MS] [--spool DIR]")
            exit(2)
        }
        func option(_ name: String) -> String? {
            arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
        }
        let deadline = Duration.milliseconds(option("--deadline").flatMap { Int($0) } ?? 10000)
        var configuration = MilterServerConfiguration(
            socket: arguments[1], ownNetworks: option("--own").flatMap { IPNetwork($0) }.map { [$0] } ?? [],
            messageSizeLimit: option("--limit").flatMap { Int($0) } ?? 10_000_000, memoryLimit: 65536,
            spoolFolder: option("--spool") ?? NSTemporaryDirectory(), commandTimeout: deadline, contentTimeout: deadline,
            progressInterval: .milliseconds(50))
        configuration.socketMode = option("--mode").flatMap { mode_t($0, radix: 8) } ?? configuration.socketMode
        configuration.socketGroup = option("--group").flatMap { gid_t($0) }
        let stages = option("--stages").map(stages(named:)) ?? ScriptFilter.allStages
        // As a program that reloads takes it. Between the source's thread and libmilter's own, chance decides.
        signal(SIGHUP, SIG_IGN)
        let hangups = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        hangups.setEventHandler {}
        hangups.resume()
        var logger = Logger(label: "fixture")
        logger.logLevel = .critical
        let numbers = Atomic(0)
        let server = MilterServer(
            configuration: configuration, chain: { FilterChain([ScriptFilter(stages: stages), EchoFilter(stages: stages)]) },
            makeID: { "m\(numbers.add(1, ordering: .relaxed).newValue)" }, pool: BlockingPool(threads: 8),
            logger: logger)
        do { try server.start() } catch {
            print("error: \(error)")
            exit(1)
        }
        print("ready")
        fflush(nil)
        await waitForEndOfInput()
        await server.stop()
        hangups.cancel()
        print("stopped")
    }

    private static func stages(named list: String) -> Set<MilterStage> {
        Set(MilterStage.allCases.filter { list.split(separator: ",").contains(Substring("\($0)")) })
    }

    private static func waitForEndOfInput() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread { while readLine() != nil {}; continuation.resume() }.start()
        }
    }
}
