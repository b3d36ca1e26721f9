import Borg
import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

/// Unpacks a set, or parts of one, out of an archive, and shows that they are what was sealed.
///
/// Each byte comes by once: files are hashed while they are written. What was unpacked stays after a throw: what becomes of it is for the
/// caller to decide.
struct VerifiedUnpacking: Sendable {
    let source: CatalogedArchive
    let contents: ArchiveContents
    /// Nil is all of the set.
    let parts: [SetPart]?
    /// The size of what is unpacked, for the progress; 0 where it is not known.
    let expectedBytes: Int64
    let display: any ProgressDisplay

    /// - Parameters:
    ///   - directory: empty, and closed to all other users.
    ///   - path: what errors call it.
    func perform(into directory: OpenDirectory, called path: FilePath) async throws -> VerificationReport {
        let (root, digests) = (directory.unmistakablePath, DigestSpool(in: .temporaryFiles))
        let refused = try await unpack(into: directory, called: path, noting: digests)
        for part in parts ?? [] { try contents.requireExtracted(part, into: root) }
        await SetDirectory(root).restoreAttributes(of: contents.manifest, parts)
        let report = try await verify(root, knowing: digests)
        guard refused.count == 0 else { throw unfaithful(refused.first, count: refused.count) }
        return report
    }

    private func unpack(
        into directory: OpenDirectory, called path: FilePath, noting digests: DigestSpool
    ) async throws -> Refusals {
        let (display, name, bytes) = (display, source.repository.name, expectedBytes)
        let (places, limits) = (PlacesInSet(contents.manifest), Unpacking.Limits(for: contents.manifest))
        do {
            return try await source.repository.export(
                source.archive, parts.map(contents.manifest.places) ?? []
            ) {
                display.show([
                    ProgressLine(.extract, name: name, progress: UnitProgress(bytes: $0, expectedBytes: bytes))
                ])
            } to: { reader in
                var unpacking = Unpacking(into: directory, places, limits, noting: digests)
                try unpacking.unpack(&reader)
                return unpacking.refused
            }
        } catch UnpackingError.tooMuch(let limit) {
            throw unfaithful(["it holds more than \(limit), which is more than its manifest says"])
        } catch let error as TarError {
            throw unfaithful(["Borg's stream of it cannot be understood: \(error)"])
        } catch let error as Errno {
            throw ArchiveError(
                error == .noSpace ? .noSpace : .system, "cannot write to \(path): \(error)", underlying: error)
        }
    }

    private func verify(_ root: FilePath, knowing digests: DigestSpool) async throws -> VerificationReport {
        let display = display
        let report: VerificationReport
        do {
            report = try await SetDirectory(root).verify(
                parts, manifestSHA256: contents.archive.provenance?.manifestSHA256, referencedTrees: .extracted,
                knowing: digests, comparingTables: false
            ) {
                display.show([ProgressLine(.verify, progress: UnitProgress(bytes: $0, expectedBytes: $1))])
            }
        } catch {
            guard [.notASet, .damagedSet, .newerFormat].contains(error.code) else { throw error }
            throw unfaithful([error.message.replacing("\(root)/", with: "")])
        }
        guard report.isFaithful else { throw unfaithful(report.problems.map(\.description)) }
        return report
    }

    private func unfaithful(_ problems: [String], count: Int? = nil) -> ArchiveError {
        .unfaithful(
            "archive '\(source.archive.name)' in repository '\(source.repository.name)'", problems, count: count,
            hint:
                "Extract from another archive, or see what else is damaged: muster borg \(source.repository.name) -- check"
        )
    }
}

extension ArchiveError {
    /// - Parameter problems: the first of `count`.
    static func unfaithful(
        _ source: String, _ problems: [String], count: Int? = nil, hint: String
    ) -> ArchiveError {
        let count = count ?? problems.count
        let more = count > 20 ? ["and \(count - 20) more"] : []
        return ArchiveError(
            .notVerified, "what \(source) holds is not what was sealed", hint: hint,
            context: ["problems": (problems.prefix(20) + more).joined(separator: "\n")])
    }
}
