import Monitoring
import Simulation

/// A CSV file of history, and which of its columns are parameters.
struct HistoryFile {
    let path: String
    let timeColumn: Int
    let clock: LocalClock
    /// Position in the row, per parameter.
    let columns: [Int]
    let parameters: [ParameterPlan]
    let rowCount: Int
    /// The most frequent distance between two rows.
    let intervalMilliseconds: Int64

    /// Reads the whole file once: finds the columns that hold numbers only, and checks every time.
    init(path: String, timeColumn: String, clock: LocalClock, choices: [ColumnChoice]?) throws {
        self.path = path
        self.clock = clock
        let reader = try LineReader(path: path)
        guard let header = try reader.next().map({ CSV.fields($0) }) else {
            throw FileError(description: "\(path) is empty")
        }
        func position(_ name: String) throws(FileError) -> Int {
            guard let position = header.firstIndex(of: name) else {
                throw FileError(
                    description: "\(path) has no column '\(name)'; it has \(header.joined(separator: ", "))")
            }
            return position
        }
        let time = try position(timeColumn)
        self.timeColumn = time
        var survey = Survey(columns: header.count)
        while let line = try reader.next() {
            let fields = CSV.fields(line)
            if fields == [""] { continue }
            let instant = try Self.instant(fields, time, clock, path: path, line: reader.lineNumber)
            survey.add(fields, instantMilliseconds: instant)
        }
        self.rowCount = survey.rows
        self.intervalMilliseconds = survey.usualDistance
        let chosen =
            choices
            ?? header.indices.filter { $0 != time && survey.isNumeric[$0] && ColumnChoice.isUsual(header[$0]) }
            .map { ColumnChoice(column: header[$0]) }
        guard !chosen.isEmpty else { throw FileError(description: "\(path) has no column of numbers") }
        self.columns = try chosen.map { choice throws(FileError) in try position(choice.column) }
        self.parameters = try chosen.map { choice throws(FileError) in
            guard let id = ParameterID(choice.parameter) else {
                throw FileError(
                    description:
                        "'\(choice.parameter)' is no parameter: letters, digits, '.', '_' and '-'; rename it with "
                        + "--columns '\(choice.column):NAME'")
            }
            return ParameterPlan(
                id: id, unit: choice.unit ?? ColumnChoice.usualUnit(choice.parameter), decimals: 0,
                isDirection: choice.parameter == "WindDir")
        }
    }

    /// Hands every row with at least one value to `body`, in the order of the file.
    func forEachSample(_ body: (Sample) throws -> Bool) throws {
        let reader = try LineReader(path: self.path)
        _ = try reader.next()
        while let line = try reader.next() {
            let fields = CSV.fields(line)
            if fields == [""] { continue }
            let instant = try Self.instant(
                fields, self.timeColumn, self.clock, path: self.path, line: reader.lineNumber)
            var values: [SampleValue] = []
            values.reserveCapacity(self.columns.count)
            for (index, column) in self.columns.enumerated() where column < fields.count {
                guard let quantity = CSV.quantity(fields[column]) else { continue }
                values.append(SampleValue(parameterIndex: index, quantity: quantity))
            }
            guard !values.isEmpty else { continue }
            let sample = Sample(timeMilliseconds: instant, recordedMilliseconds: instant, values: values)
            if try !body(sample) { return }
        }
    }

    private static func instant(
        _ fields: [String], _ column: Int, _ clock: LocalClock, path: String, line: Int
    ) throws(FileError) -> Int64 {
        guard column < fields.count, let time = FileTime(fields[column]) else {
            let text = column < fields.count ? "'\(fields[column])'" : "nothing"
            throw FileError(description: "\(path), line \(line): \(text) stands where the time should be")
        }
        return clock.instantMilliseconds(time)
    }

    /// What the first reading of a file finds out.
    private struct Survey {
        var rows = 0
        var isNumeric: [Bool]
        private var hasValues: [Bool]
        private var lastInstant: Int64?
        private var distances: [Int64: Int] = [:]

        init(columns: Int) {
            self.isNumeric = .init(repeating: false, count: columns)
            self.hasValues = .init(repeating: false, count: columns)
        }

        mutating func add(_ fields: [String], instantMilliseconds: Int64) {
            self.rows += 1
            for (index, field) in fields.prefix(self.isNumeric.count).enumerated() where !isGap(field) {
                let isNumber = CSV.quantity(field) != nil
                self.isNumeric[index] = isNumber && (self.isNumeric[index] || !self.hasValues[index])
                self.hasValues[index] = true
            }
            if let last = self.lastInstant, self.distances.count < 1_000 {
                self.distances[instantMilliseconds - last, default: 0] += 1
            }
            self.lastInstant = instantMilliseconds
        }

        /// The most frequent one; of equally frequent ones the shortest.
        var usualDistance: Int64 {
            let positive = self.distances.filter { $0.key > 0 }
            return positive.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? Civil.millisecondsPerHour
        }
    }
}

/// What files write where there is no value.
private func isGap(_ field: String) -> Bool { ["", "NA", "NaN", "nan", "N/A", "null", "-"].contains(field) }
