namespace SignalHub.Http;

/// <summary>A row of a list with its place in it: lists are ordered by a time and, within it, by id, newest first.</summary>
public sealed record Listed<T>(T View, DateTimeOffset At, Guid Id);

public static class ListedRows
{
    /// <summary>The answer to a list request, made of the rows a store returned for <see cref="PageRequest.Limit"/> + 1.</summary>
    public static Page<T> ToPage<T>(this PageRequest request, HttpContext context, IReadOnlyList<Listed<T>> rows)
    {
        var page = request.ToPage(context, rows, row => (row.At, row.Id));
        return new Page<T>([.. page.Data.Select(row => row.View)], page.NextCursor, page.Next);
    }
}
