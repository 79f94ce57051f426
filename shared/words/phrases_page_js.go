package words

// pagePhrases are said by the server alone.
var pagePhrases map[string]phrase
