using System.Text;
using System.Text.Json;
using Serilog.Events;
using Serilog.Parsing;
using SignalHub.Http;

namespace SignalHub.Tests.Http;

public sealed class JsonLinesTests
{
    private static readonly MessageTemplate _template = new MessageTemplateParser().Parse("line {Number}");

    [Fact]
    public void Every_line_is_written_once_and_in_order_when_several_threads_log()
    {
        using var output = new Output();
        using (var lines = new JsonLines(output))
        {
            Parallel.For(0, 4, thread =>
            {
                for (var i = 0; i < 1_000; i++)
                {
                    lines.Emit(Line((thread * 1_000) + i));
                }
            });
        }

        var numbers = output.Lines().ConvertAll(NumberOf);
        Assert.Equal(Enumerable.Range(0, 4_000), numbers.Order());
        Assert.All(numbers.GroupBy(n => n / 1_000), thread => Assert.Equal(thread.Order(), thread));
    }

    [Fact]
    public async Task A_line_after_a_silence_is_written_while_the_process_goes_on()
    {
        using var output = new Output();
        using var lines = new JsonLines(output);
        for (var i = 0; i < 3; i++)
        {
            lines.Emit(Line(i));
            await output.WrittenAsync(i + 1);
        }
    }

    [Fact]
    public async Task What_an_output_does_not_take_is_dropped_and_counted()
    {
        using var output = new Output();
        using (var lines = new JsonLines(output))
        {
            output.Stop();
            lines.Emit(Line(0));
            await output.StoppedAsync();        // the writer stands in it with the first line
            for (var i = 0; i < JsonLines.MaxWaiting + 5; i++)
            {
                lines.Emit(Line(i));
            }
            output.Go();
        }

        var written = output.Lines();
        Assert.Equal(1 + JsonLines.MaxWaiting + 1, written.Count);
        Assert.Equal(5, Assert.Single(written, l => l.GetProperty("Level").GetString() == "Warning").GetProperty("Properties").GetProperty("Count").GetInt64());
    }

    [Fact]
    public void An_output_that_breaks_does_not_break_whoever_logs()
    {
        using var output = new Output { Breaks = true };
        using var lines = new JsonLines(output);

        lines.Emit(Line(1));
        lines.Dispose();

        Assert.Empty(output.Lines());
    }

    [Fact]
    public void A_line_that_cannot_be_written_takes_no_other_with_it()
    {
        using var output = new Output();
        using (var lines = new JsonLines(output))
        {
            lines.Emit(Line(1));
            lines.Emit(new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Error, new Untold(), _template, []));
            lines.Emit(Line(2));
        }

        Assert.Equal([1, 2], output.Lines().ConvertAll(NumberOf));
    }

    private static LogEvent Line(int number) => new(
        DateTimeOffset.UnixEpoch, LogEventLevel.Information, exception: null, _template, [new LogEventProperty("Number", new ScalarValue(number))]);

    private static int NumberOf(JsonElement line) => line.GetProperty("Properties").GetProperty("Number").GetInt32();

    private sealed class Untold : Exception
    {
        public override string ToString() => throw new InvalidOperationException("It cannot tell.");
    }

    /// <summary>A standard output that can stand still or be closed at the other end.</summary>
    private sealed class Output : Stream
    {
        private readonly MemoryStream _written = new();
        private readonly ManualResetEventSlim _moves = new(initialState: true);
        private readonly SemaphoreSlim _writes = new(0);
        private readonly TaskCompletionSource _stopped = new();

        public bool Breaks { get; init; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Stop() => _moves.Reset();

        public void Go() => _moves.Set();

        public Task StoppedAsync() => _stopped.Task.WaitAsync(TimeSpan.FromSeconds(10));

        public List<JsonElement> Lines()
        {
            lock (_written)
            {
                return [.. Encoding.UTF8.GetString(_written.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Select(line => JsonDocument.Parse(line).RootElement)];
            }
        }

        public async Task WrittenAsync(int lines)
        {
            while (Lines().Count < lines)
            {
                Assert.True(await _writes.WaitAsync(TimeSpan.FromSeconds(10)), "Nothing more was written.");
            }
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Breaks)
            {
                throw new IOException("Broken pipe");
            }
            if (!_moves.IsSet)
            {
                _stopped.TrySetResult();
                _moves.Wait();
            }
            lock (_written)
            {
                _written.Write(buffer, offset, count);
            }
            _writes.Release();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
