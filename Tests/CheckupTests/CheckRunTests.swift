import Foundation
import NetworkAddress
import Synchronization
import Testing
@testable import Checkup

struct CheckRunTests {
    private func finding(_ check: String, _ verdict: CheckFinding.Verdict, _ importance: CheckFinding.Importance = .trust) -> CheckFinding {
        CheckFinding(check, "x", verdict, importance, check)
    }

    @Test func theMostImportantComesFirst() {
        let report = CheckReport([finding("a", .ok), finding("b", .wrong, .minor), finding("c", .wrong, .safety), finding("d", .unknown), finding("e", .wrong, .safety)])
        #expect(report.fixes.map(\.check) == ["c", "e", "b"])
        #expect(report.status == 1)
        #expect(CheckReport([finding("a", .ok), finding("b", .unknown), finding("c", .note)]).status == 2)
        #expect(CheckReport([finding("a", .note), finding("b", .skipped)]).status == 0)
    }

    @Test func findingsStandInTheOrderOfTheChecks() async {
        let seen = Mutex<[Int]>([])
        let tasks = [
            CheckTask("slow") { try? await Task.sleep(for: .milliseconds(60)); return [self.finding("slow", .ok)] },
            CheckTask("fast") { [self.finding("fast", .ok)] },
        ]
        let report = await CheckRun(tasks, limit: .seconds(600)) { progress in seen.withLock { $0.append(progress.done) } }.run()
        #expect(report.findings.map(\.check) == ["slow", "fast"])
        #expect(seen.withLock { Set($0) } == [0, 1, 2])
    }

    @Test func whatDoesNotEndIsUnknown() async {
        let tasks = [CheckTask("never", .safety) { try? await Task.sleep(for: .seconds(3600)); return [] }, CheckTask("fast") { [self.finding("fast", .ok)] }]
        let report = await CheckRun(tasks, limit: .milliseconds(50)).run()
        #expect(report.findings.map(\.verdict) == [.unknown, .ok])
        #expect(report.findings[0].text.hasPrefix("no answer within"))
        #expect(report.status == 2)
    }
}

struct MachineJudgeTests {
    @Test func room() {
        func verdicts(_ free: UInt64, _ size: UInt64, freeFiles: UInt64 = 100_000) -> [CheckFinding.Verdict] {
            DiskCheck.judge("/x", free: free, size: size, freeFiles: freeFiles, files: 200_000, minimum: 50_000_000).map(\.verdict)
        }
        #expect(verdicts(49_999_999, 1 << 30) == [.wrong])
        #expect(verdicts(60_000_000, 1 << 30) == [.note])
        #expect(verdicts(800_000_000, 1 << 30) == [.ok])
        #expect(verdicts(800_000_000, 1 << 40) == [.note])
        #expect(verdicts(800_000_000, 1 << 30, freeFiles: 10) == [.wrong])
    }

    @Test func aLineOfProcNetTCP() {
        let line = "   0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0"
        let socket = ListeningSockets.parse(Substring(line), width: 4)
        #expect(socket == .init(address: .v4Loopback, port: 25, inode: 12345))
        // Established, not listening.
        #expect(ListeningSockets.parse(Substring(line.replacingOccurrences(of: " 0A ", with: " 01 ")), width: 4) == nil)
        let any = "   1: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 7 1"
        #expect(ListeningSockets.parse(Substring(any), width: 16) == .init(address: nil, port: 443, inode: 7))
    }

    @Test func modesDecideWhoReads() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("access-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/key"
        FileManager.default.createFile(atPath: path, contents: Data("x".utf8))
        chmod(folder, 0o755)
        chmod(path, 0o600)
        let owner = geteuid()
        let own = FileAccess(.init(name: "own", uid: owner, groups: [getegid()])), stranger = FileAccess(.init(name: "stranger", uid: owner + 7, groups: [54321]))
        #expect(own.obstacle(toReading: path) == nil)
        #expect(stranger.obstacle(toReading: path) == "user stranger may not read it")
        chmod(path, 0o644)
        #expect(stranger.obstacle(toReading: path) == nil)
        chmod(folder, 0o700)
        #expect(stranger.obstacle(toReading: path)?.hasPrefix("user stranger may not enter the folder") == true)
        #expect(own.obstacle(toReading: folder + "/other") == "there is no such file")
    }

    @Test func aClockBehindItsFilesIsWrong() throws {
        let now = Int64(Date().timeIntervalSince1970)
        #expect(ClockCheck(files: [], now: now - 400 * 86_400).run().first?.verdict == .wrong)
        #expect(ClockCheck(files: [], now: now).run().first?.verdict != .wrong)
        let old = ClockCheck(files: [], now: now).run(signatures: [(from: now - 20 * 86_400, until: now - 10 * 86_400)])
        #expect(old.first?.verdict == .wrong)
        #expect(ClockCheck(files: [], now: now).run(signatures: [(from: now - 86_400, until: now + 86_400)]).first?.verdict != .wrong)
    }
}
