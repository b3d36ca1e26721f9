import Jobs
import Settings
import YAML

extension Job {
    /// The job as a job file in YAML with every key, defaults filled in.
    ///
    /// Reads back as the same job, except for the commands that print secrets. They are left out, because the text of such a command can be
    /// a secret itself. The text that stands in for them is refused when read. Files and credentials are shown, because their names are not
    /// secrets.
    public var yaml: String { Job.shape(kinds: []).write(self).yaml }

    /// The same as JSON.
    public var json: String { Job.shape(kinds: []).write(self).json }

    /// JSON Schema (draft 2020-12) of job files, for editors and for checks elsewhere. Rules between several keys are not in it.
    ///
    /// - Parameter kinds: the providers that dumps may name.
    public static func schema(kinds: ProviderKinds) -> String { schemaValue(kinds: kinds).json }

    /// The same, to walk through.
    public static func schemaValue(kinds: ProviderKinds) -> PlainValue {
        let head: PlainValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Muster job",
            "description": "One job of Muster: what to dump, where to stage it, which repositories receive it.",
        ]
        return head.merging(shape(kinds: kinds).schema())
    }
}
