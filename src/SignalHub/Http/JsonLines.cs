using System.Collections.Concurrent;
using System.Globalization;
using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace SignalHub.Http;

/// <summary>
/// A JSON object per line, written by a thread of its own: the first line after a silence at once, those that follow together, 20 ms later.
/// A thread woken and a system call made for each line cost more than the line. What the output does not take in time is dropped and counted.
/// </summary>
internal sealed class JsonLines : ILogEventSink, IDisposable
{
    /// <summary>Lines that may wait; beyond, the output stands still.</summary>
    internal const int MaxWaiting = 10_000;

    private const int BufferBytes = 64 * 1024;

    private static readonly TimeSpan _linger = TimeSpan.FromMilliseconds(20);

    // An output that takes nothing must not hold up the end of the process.
    private static readonly TimeSpan _patienceAtEnd = TimeSpan.FromSeconds(5);

    private static readonly MessageTemplate _dropped = new MessageTemplateParser().Parse("{Count} log lines were dropped: the output does not take them in time");

    private readonly JsonFormatter _formatter = new(formatProvider: CultureInfo.InvariantCulture);
    private readonly ConcurrentQueue<LogEvent> _lines = new();
    private readonly object _turn = new();
    private readonly StreamWriter _output;
    private readonly StringWriter _line = new(CultureInfo.InvariantCulture);
    private readonly Thread _writer;
    private int _waiting;
    private int _isAsleep;
    private bool _isEnded;
    private long _droppedCount;

    public JsonLines()
        : this(Console.OpenStandardOutput())
    {
    }

    internal JsonLines(Stream output)
    {
        _output = new StreamWriter(output, bufferSize: BufferBytes);
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "Log" };
        _writer.Start();
    }

    public void Emit(LogEvent logEvent)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            Interlocked.Increment(ref _droppedCount);
            return;
        }
        _lines.Enqueue(logEvent);
        Wake();
    }

    /// <summary>Ends when what was logged before is written.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _isEnded = true;
            Monitor.PulseAll(_turn);
        }
        _writer.Join(_patienceAtEnd);
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isAsleep, 0) == 1)
        {
            lock (_turn)
            {
                Monitor.PulseAll(_turn);
            }
        }
    }

    private void WriteAll()
    {
        while (true)
        {
            var isLast = Volatile.Read(ref _isEnded);
            Guarded(WriteWaiting);
            if (isLast)
            {
                Guarded(_output.Dispose);
                return;
            }
            lock (_turn)
            {
                if (!_isEnded)
                {
                    Monitor.Wait(_turn, _linger);
                }
                Interlocked.Exchange(ref _isAsleep, 1);
                // Asked only now: who logged before the flag was up did not see it.
                while (_isAsleep == 1 && _lines.IsEmpty && !_isEnded)
                {
                    Monitor.Wait(_turn);
                }
                _isAsleep = 0;
            }
        }
    }

    private void WriteWaiting()
    {
        while (_lines.TryDequeue(out var line))
        {
            Interlocked.Decrement(ref _waiting);
            Write(line);
        }
        if (Interlocked.Exchange(ref _droppedCount, 0) is > 0 and var count)
        {
            Write(new LogEvent(TimeProvider.System.GetLocalNow(), LogEventLevel.Warning, exception: null, _dropped, [new LogEventProperty("Count", new ScalarValue(count))]));
        }
        _output.Flush();
    }

    /// <summary>Whole or not at all: an exception that cannot tell of itself must not spoil the lines after it.</summary>
    private void Write(LogEvent line) => Guarded(() =>
    {
        var text = _line.GetStringBuilder().Clear();
        _formatter.Format(line, _line);
        foreach (var part in text.GetChunks())
        {
            _output.Write(part.Span);
        }
    });

    // Nobody reads the output any more, or a line cannot be written: the service goes on without it.
    private static void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e)
        {
            SelfLog.WriteLine("The log could not be written: {0}", e);
        }
    }
}
