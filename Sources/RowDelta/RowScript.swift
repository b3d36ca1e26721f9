/// What puts tables together without us: a script for any POSIX shell and awk, and the lists that it reads.
public enum RowScript {
    public static let file = "rows.sh"
    /// The directory beside it that all else is in.
    public static let directory = "rows"
    /// A file and the directory of its rows in each line.
    public static let tables = "tables"
    /// The digests of the files as they are put together, for `sha256sum -c`.
    public static let digests = "sha256"

    /// - Parameter next: what to do afterwards, for the heading.
    public static func text(next: String) -> String { heading(next: next) + start + oneTable }

    private static func heading(next: String) -> String {
        #"""
        #!/bin/sh
        # Puts together the tables that Muster has stored as rows and changes, in the directory that this script is in.
        # \#(next)
        #
        # The lines of all .rows files of a table, in the order of their names, are numbered from 1. The .lines files
        # say what became of them, each line with its distance from the one that was named before:
        #   5 2            two lines from there are gone
        #   93 17 4 1200   the 4 bytes behind the first 17 of the line there are now "1200"

        """#
    }

    /// Without arguments, runs itself for each table, and fails unless both lists name the same ones. What an earlier run left is removed
    /// first: pg_restore would take a table that is not whole, and say nothing.
    private static let start = #"""
        set -eu
        LC_ALL=C
        export LC_ALL
        CDPATH= cd -- "$(dirname -- "$0")"
        if [ $# -eq 0 ]; then
            [ -s rows/tables ] && [ "$(cut -d " " -f 1 rows/tables)" = "$(cut -d " " -f 3 rows/sha256)" ] || {
                echo "rows/tables and rows/sha256 do not name the same files: extract both again" >&2
                exit 1
            }
            cut -d " " -f 1 rows/tables | xargs rm -f
            # This script once for each table: on all processors at once, where there is nproc and xargs has -P.
            width=$(nproc 2> /dev/null) && xargs -P "$width" true < /dev/null 2> /dev/null && set -- -P "$width"
            xargs "$@" -n 2 sh "./$(basename -- "$0")" < rows/tables && exit
            echo "not all tables are put together: do not restore this database" >&2
            exit 1
        fi

        """#

    /// With the name of a file and of its directory of rows: puts that file together under another name, and gives it its own once its
    /// digest is right.
    private static let oneTable = #"""
        file=$1
        table=rows/$2
        changes=rows/$file.changes
        draft=rows/$file.unfinished
        trap 'rm -f "$changes" "$draft"' EXIT
        set -- "$table/"*.lines
        [ -e "$1" ] || set -- /dev/null
        # mawk would print line 3,000,000,000 as 3e+09.
        awk -v OFMT=%.15g '
            FNR == 1 { line = 0 }
            { line += $1; print line, NR, substr($0, index($0, " ") + 1) }' "$@" | sort -n -k 1,1 -k 2,2 > "$changes"
        awk -v changes="$changes" '
            function more() {
                first = 1e15
                if ((getline < changes) <= 0) return
                first = $1 + 0; number = $3 + 0; count = $4 + 0; edits = NF > 3
                if (edits) text = substr($0, length($1 $2 $3 $4) + 5)
            }
            BEGIN { more() }
            NR < first { print; next }
            {
                row = $0
                while (first <= NR && (edits || NR >= first + number)) {
                    if (edits && first == NR) row = substr(row, 1, number) text substr(row, number + count + 1)
                    more()
                }
                if (NR < first) print row
            }' "$table/"*.rows > "$draft"
        # OpenSSL takes a third of the time where sha256sum does not know the processor's own instructions.
        digest=$(openssl dgst -sha256 -r "$draft" 2> /dev/null) || digest=$(sha256sum "$draft")
        grep -qxF "${digest%% *}  $file" rows/sha256 || {
            echo "$file, put together from $table, is not what was sealed" >&2
            exit 1
        }
        mv "$draft" "$file"
        echo "$file: OK"

        """#
}
