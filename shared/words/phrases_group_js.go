package words

// groupPhrases are said by the server alone.
var groupPhrases map[string]phrase
