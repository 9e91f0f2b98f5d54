using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

/// <summary>A ledger as one node writes it and another one reads it.</summary>
public sealed class WritingLedgersTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 15, 12, 0, 0, 500, TimeSpan.Zero);

    [Fact]
    public void What_is_read_is_what_was_written()
    {
        var ledger = UsageLedger.Of(new StoredUsage([(_now.AddSeconds(-30), 7)], new DateOnly(2026, 3, 15), 1_000_000_000_000), _now);
        ledger.Count(ledger.Window.Head, 300_000);
        ledger.Count(ledger.Window.Head - 600, 5);
        var (one, other) = (new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]));
        ledger.Grant(new Hold(one, 12, 34, _now.AddSeconds(30)));
        ledger.Grant(new Hold(other, int.MaxValue, 0, _now.AddSeconds(29)));

        var read = UsageLedger.Read(ledger.ToBytes());

        Assert.Equal((ledger.Begun, ledger.Date, ledger.Today, ledger.Window.Head, 300_012), (read.Begun, read.Date, read.Today, read.Window.Head, read.Window.Count));
        Assert.Equal((int.MaxValue, 0L), read.HeldByOthers(one));
        Assert.Equal((12L, 34L), read.HeldByOthers(other));
        Assert.Equal(ledger.ToBytes(), read.ToBytes());
        read.MoveTo(_now.AddMilliseconds(100));
        Assert.Equal(300_007, read.Window.Count);
    }

    [Fact]
    public void A_ledger_read_into_the_place_of_another_one_has_nothing_of_it()
    {
        var ledger = UsageLedger.Of(new StoredUsage([], new DateOnly(2026, 3, 15), 7), _now);
        ledger.Count(ledger.Window.Head - 3, 5);
        var spare = UsageLedger.Of(new StoredUsage([], new DateOnly(2026, 3, 15), 0), _now.AddMilliseconds(700));
        spare.Count(spare.Window.Head, 100);

        var read = UsageLedger.Read(ledger.ToBytes(), spare);

        Assert.Same(spare.Window, read.Window);
        Assert.Equal(ledger.ToBytes(), read.ToBytes());
        read.MoveTo(_now.AddMinutes(1).AddMilliseconds(100));
        Assert.Equal(0, read.Window.Count);
        Assert.Equal(0, read.Window.WaitForAll(_now.AddMinutes(1).AddMilliseconds(100)));
    }

    [Fact]
    public void A_busy_minute_takes_a_kilobyte()
    {
        var ledger = UsageLedger.Of(new StoredUsage([], new DateOnly(2026, 3, 15), 0), _now);
        for (var slot = 0; slot < WindowCounter.Slots; slot++)
        {
            ledger.Count(ledger.Window.Head - slot, 100);
        }

        Assert.InRange(ledger.ToBytes().Length, WindowCounter.Slots, 1_024);
    }

    [Fact]
    public void One_of_another_version_is_refused_with_what_to_do()
    {
        var bytes = UsageLedger.Of(new StoredUsage([], new DateOnly(2026, 3, 15), 0), _now).ToBytes();
        bytes[0]++;

        Assert.Contains("same version", Assert.Throws<InvalidDataException>(() => UsageLedger.Read(bytes)).Message, StringComparison.Ordinal);
    }
}
