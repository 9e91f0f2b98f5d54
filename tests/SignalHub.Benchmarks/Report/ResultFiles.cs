using System.Text.Encodings.Web;
using System.Text.Json;

namespace SignalHub.Benchmarks.Report;

/// <summary>The files that are committed: <c>load.json</c>, <c>load.md</c>, <c>load.svg</c>.</summary>
internal static class ResultFiles
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // ÷ and µ stay readable; nobody puts the file into a page
    };

    public static void Write(LoadResult result, string directory)
    {
        Directory.CreateDirectory(directory);
        Save(directory, "load.json", JsonSerializer.Serialize(result, _json) + "\n");
        Save(directory, "load.md", $"""
            # Single posts: the service, pgbench, plain EF Core

            Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- load`; method and reading: [performance](../performance.md).
            {result.Rounds} rounds of {result.Seconds} s a measurement, figures in the second table are medians over the rounds.

            ![Durable signals per second](load.svg)

            {ResultTables.Ratios(result)}
            {ResultTables.Contenders(result)}
            {ResultTables.Machine(result)}
            """);
        Save(directory, "load.svg", LoadChart.Draw(result));
    }

    private static void Save(string directory, string name, string text)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllText(path, text.TrimEnd('\n') + "\n");
        Console.WriteLine(path);
    }
}
